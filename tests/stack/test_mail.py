"""The profile `mail`: codes go out by SMTP, to a mailbox that one can look into."""

import asyncio
import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import ClientSession

from deploy.local.process import free_port
from tests.stack.stack import Stack
from tests.support.journey import AuthClient

SENDER = "hello@example.com"


@pytest.fixture
def mailing(started: Stack) -> Iterator[Stack]:
    """A stack of one of each, with the mailbox."""
    other = Stack(
        f"cheershare-test-{secrets.token_hex(4)}",
        {
            "COMPOSE_PROFILES": "mail",
            "MAIL_PORT": str(free_port()),
            "EMAIL_PROVIDERS": "smtp",
            "SMTP_URL": "smtp://mail:1025",
            "MAIL_FROM": f"Cheershare <{SENDER}>",
        },
    )
    try:
        other.up()
        yield other
    finally:
        other.down()


async def test_a_code_arrives_by_mail(mailing: Stack) -> None:
    address = f"asha-{secrets.token_hex(4)}@example.com"
    mailbox = f"http://127.0.0.1:{mailing.settings['MAIL_PORT']}/email"
    async with ClientSession(mailing.address) as http, asyncio.timeout(30):
        auth = AuthClient(http)
        asked = await auth.call("POST", "/register", json={"email": address})
        assert asked.status == 201, asked.body
        mails: list[dict[str, Any]] = []
        while not mails:
            await asyncio.sleep(0.1)
            async with http.get(mailbox) as answer:
                mails = await answer.json()
        [mail] = mails
        assert [one["address"] for one in mail["to"]] == [address]
        assert [one["address"] for one in mail["from"]] == [SENDER]
        entry = {"email": address, "otp": mail["text"][:6], "challenge": asked.body["challenge"]}
        proven = await auth.call("POST", "/verify-otp", json=entry)
        assert (proven.status, proven.body["user"]["email_verified"]) == (200, True)
