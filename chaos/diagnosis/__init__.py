"""From what happened to what went wrong, and only then to sentences.

Of a log, in this order: `endings` says of each connection how it ended, as its own lines show it; `explaining` says what
several of these, or what lies between them, mean (a typed `Cause`, and how sure it is), with the help of `causes_of_limits`,
`causes_of_silence`, `causes_of_attempts` and `causes_told`; `telling` words it, and decides nothing.

Of a trace, in this order: `symptoms` says what went wrong on each link, by typed kinds; `outage_findings`,
`peer_standstills`, `delay_findings` and `peer_findings` say which faults explain that, and how sure it is (`findings`;
`retransmission` knows when TCP notices a heal); `inference` puts all of it together.
"""
