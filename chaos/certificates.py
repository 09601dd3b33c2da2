"""A certificate for the mock peer, made for the run, and the authority that signed it."""

import os
import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from chaos.temporary import temporary_folder

if TYPE_CHECKING:
    import trustme

FOR_PROGRAMS = ("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "SIMTOOL_CA")
"""Variables of the environment that name the authority's file: OpenSSL's and so Python's, Node's, and ours."""


class CertificateMissing(Exception):
    """No certificate can be made here; the text is one line that says why and what to do."""


@cache
def authority() -> "trustme.CA":
    """One for this process. Raises `CertificateMissing`."""
    try:
        import trustme  # noqa: PLC0415 - only a run over TLS needs it
    except ModuleNotFoundError as error:
        raise CertificateMissing(
            f"tls = true needs a certificate, and {error.name!r} is not installed: pip install 'pose-session-tracker[tls]'"
        ) from None
    # RSA signs with a fixed length, so that on virtual time every run has the same bytes.
    return trustme.CA(key_type=trustme.KeyType.RSA)


def certify(context: ssl.SSLContext, hosts: Iterable[str]) -> None:
    """Give a server's context a certificate for `hosts`, names or addresses. Raises `CertificateMissing`."""
    import trustme  # noqa: PLC0415 - as above

    authority().issue_cert(*sorted(set(hosts)), key_type=trustme.KeyType.RSA).configure_cert(context)


@contextmanager
def trusted() -> Iterator[Path]:
    """The authority's file; while this lasts, what is started and made in this process trusts it by default."""
    with temporary_folder() as folder:
        file = folder / "ca.pem"
        authority().cert_pem.write_to_path(str(file))
        before = {name: os.environ.get(name) for name in FOR_PROGRAMS}
        os.environ.update(dict.fromkeys(FOR_PROGRAMS, str(file)))
        try:
            yield file
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value
