"""TLS to receivers: a certificate that cannot be verified gets no message."""

import asyncio
import socket
from pathlib import Path

import pytest
from OpenSSL import SSL

from tests.shared.webhooks.conftest import Posting
from tests.support.certificates import Authority
from tests.support.webhook_receiver import HOST, Receiver, open_receiver


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """An authority of this machine; a sender that is opened later trusts it."""
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.write_certificate()))
    return authority


async def test_certificate_valid_one_gets_the_message(trusted: Authority, post: Posting) -> None:
    async with open_receiver(tls=trusted.server_context(HOST)) as receiver:
        assert (await post(f"https://{HOST}:{receiver.port}/")).delivered


@pytest.mark.parametrize(
    ("address", "days", "known"),
    [(HOST, 1, False), ("127.0.0.78", 1, True), (HOST, -1, True)],
    ids=["unknown authority", "another host", "expired"],
)
async def test_certificate_invalid_one_gets_no_message(
    trusted: Authority, post: Posting, tmp_path: Path, address: str, days: int, *, known: bool
) -> None:
    authority = trusted if known else Authority(tmp_path)
    async with open_receiver(tls=authority.server_context(address, days=days)) as receiver:
        attempt = await post(f"https://{HOST}:{receiver.port}/")
        assert (attempt.error, receiver.requests) == ("tls_failed", [])


async def test_receiver_without_tls_fails_as_tls(post: Posting, receiver: Receiver) -> None:
    attempt = await post(receiver.url.replace("http:", "https:"))
    assert attempt.error in {"tls_failed", "timeout", "connection_failed"}
    assert receiver.requests == []


def renegotiate(listener: socket.socket, certificate: Path) -> str:
    """Ask a client for another handshake of TLS 1.2; return the error that follows."""
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_max_proto_version(SSL.TLS1_2_VERSION)
    context.use_certificate_chain_file(str(certificate))
    context.use_privatekey_file(str(certificate))
    raw, _ = listener.accept()
    with raw:
        connection = SSL.Connection(context, raw)
        connection.set_accept_state()
        connection.do_handshake()
        connection.recv(1000)
        connection.renegotiate()
        try:
            connection.do_handshake()
            connection.recv(1)
        except SSL.Error as error:
            return str(error)
    return ""


async def test_receiver_that_renegotiates_is_refused(trusted: Authority, post: Posting) -> None:
    trusted.server_context(HOST)  # writes the certificate
    with socket.create_server((HOST, 0)) as listener:
        served = asyncio.create_task(
            asyncio.to_thread(renegotiate, listener, trusted.folder / "receiver.pem")
        )
        attempt = await post(f"https://{HOST}:{listener.getsockname()[1]}/")
        assert "no renegotiation" in await served
    assert attempt.error == "connection_lost"
