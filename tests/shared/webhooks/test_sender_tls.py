"""TLS to receivers: a certificate that cannot be verified gets no message."""

from pathlib import Path

import pytest

from tests.shared.webhooks.conftest import Posting
from tests.support.certificates import Authority
from tests.support.webhook_receiver import HOST, Receiver, open_receiver


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    authority = Authority(tmp_path)
    context = authority.client_context()
    monkeypatch.setattr("aiohttp.connector._SSL_CONTEXT_VERIFIED", context)
    return authority


async def test_certificate_valid_one_gets_the_message(post: Posting, trusted: Authority) -> None:
    async with open_receiver(tls=trusted.server_context(HOST)) as receiver:
        assert (await post(f"https://{HOST}:{receiver.port}/")).delivered


@pytest.mark.parametrize(
    ("address", "days", "known"),
    [(HOST, 1, False), ("127.0.0.78", 1, True), (HOST, -1, True)],
    ids=["unknown authority", "another host", "expired"],
)
async def test_certificate_invalid_one_gets_no_message(
    post: Posting, trusted: Authority, tmp_path: Path, address: str, days: int, *, known: bool
) -> None:
    authority = trusted if known else Authority(tmp_path)
    async with open_receiver(tls=authority.server_context(address, days=days)) as receiver:
        attempt = await post(f"https://{HOST}:{receiver.port}/")
        assert (attempt.error, receiver.requests) == ("tls_failed", [])


async def test_receiver_without_tls_fails_as_tls(post: Posting, receiver: Receiver) -> None:
    attempt = await post(receiver.url.replace("http:", "https:"))
    assert attempt.error in {"tls_failed", "timeout", "connection_failed"}
    assert receiver.requests == []
