"""Logs of real runs of the library: `python -m tests.chaos.real_logs` makes them anew, a test reads them."""
