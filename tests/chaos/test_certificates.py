import os
import ssl
import sys

import pytest

from chaos.certificates import FOR_PROGRAMS, CertificateMissing, authority, certify, trusted


def test_while_it_lasts_the_authority_is_trusted_by_default_and_afterwards_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("trustme", reason="it makes the certificates")
    monkeypatch.setenv("SSL_CERT_FILE", "/somewhere/else.pem")
    monkeypatch.delenv("SIMTOOL_CA", raising=False)
    with trusted() as file:
        assert {os.environ[name] for name in FOR_PROGRAMS} == {str(file)}
        assert "BEGIN CERTIFICATE" in file.read_text()
        assert ssl.create_default_context().cert_store_stats()["x509_ca"] == 1
    assert os.environ["SSL_CERT_FILE"] == "/somewhere/else.pem"
    assert "SIMTOOL_CA" not in os.environ


def test_a_server_is_certified_for_addresses_and_names() -> None:
    pytest.importorskip("trustme", reason="it makes the certificates")
    certify(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ["127.0.0.1", "localhost", "127.0.0.1"])


def test_where_none_can_be_made_it_is_said_how_to_change_that(monkeypatch: pytest.MonkeyPatch) -> None:
    authority.cache_clear()
    monkeypatch.setitem(sys.modules, "trustme", None)
    with pytest.raises(CertificateMissing, match=r"not installed: pip install 'pose-session-tracker\[tls\]'"):
        authority()
    authority.cache_clear()
