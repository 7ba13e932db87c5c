"""Mail by SMTP against a real server that misbehaves on purpose."""

import asyncio
import dataclasses
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from auth_service.delivery.errors import (
    MessageRefusedError,
    OutcomeUnknownError,
    ProviderError,
)
from auth_service.delivery.model import Message
from auth_service.delivery.smtp import Smtp
from shared.clock import SystemClock
from tests.support.ports import own_port

SENDER = "Cheershare <no-reply@cheershare.example>"
MESSAGE = Message("01", "email", "asha@example.org", "A subject, ünïcode", "Text", "<p>Html</p>")


class Server:
    """Takes mail; `answer` is said to DATA, `rcpt` to RCPT."""

    def __init__(self) -> None:
        self.answer = "250 OK"
        self.rcpt = ""
        self.port = 0
        self.connections: set[str] = set()
        self.recipients: list[str] = []
        self.mails: list[Any] = []

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.connections.add(str(session.peer))
        if self.rcpt:
            return self.rcpt
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - likewise
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if self.answer == "drop":
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
            await asyncio.sleep(10)
        if self.answer == "silence":
            await asyncio.sleep(10)
        assert isinstance(envelope.content, bytes)
        self.mails.append(message_from_bytes(envelope.content, policy=default))
        return self.answer


class RecordingSMTP(SMTP):
    """Keeps each recipient as it was spelled on the wire, before aiosmtpd takes quotes off."""

    async def smtp_RCPT(self, arg: str) -> None:  # noqa: N802 - likewise
        self.event_handler.recipients.append(arg)
        await super().smtp_RCPT(arg)


class RecordingController(Controller):
    """Serves by `RecordingSMTP`."""

    def factory(self) -> SMTP:
        return RecordingSMTP(self.handler, **self.SMTP_kwargs)


@pytest.fixture
def server() -> Iterator[Server]:
    handler = Server()
    handler.port = own_port()
    controller = RecordingController(handler, hostname="127.0.0.1", port=handler.port)
    controller.start()
    yield handler
    controller.stop(no_assert=True)


@pytest.fixture
def smtp(server: Server) -> Smtp:
    return Smtp("smtp", f"smtp://127.0.0.1:{server.port}", SENDER, SystemClock())


async def test_smtp_several_mails_share_one_connection(smtp: Smtp, server: Server) -> None:
    for _ in range(3):
        await smtp.send(MESSAGE)
    await smtp.close()
    assert len(server.connections) == 1
    mail = server.mails[0]
    assert mail["Subject"] == MESSAGE.subject
    assert mail["From"] == SENDER
    assert mail["Message-ID"] == "<01@cheershare.example>"
    assert mail.get_body(("plain",)).get_content().strip() == "Text"
    assert mail.get_body(("html",)).get_content().strip() == "<p>Html</p>"


@pytest.mark.parametrize(
    ("to", "spelling"),
    [
        ("abc.@docomo.ne.jp", '"abc."@docomo.ne.jp'),
        ("a..b@ezweb.ne.jp", '"a..b"@ezweb.ne.jp'),
        ("o'brien+a.b@example.org", "o'brien+a.b@example.org"),
    ],
)
async def test_smtp_address_with_stray_dots_is_quoted(
    smtp: Smtp, server: Server, to: str, spelling: str
) -> None:
    await smtp.send(dataclasses.replace(MESSAGE, to=to))
    await smtp.close()
    assert server.recipients == [f"TO:<{spelling}>"]
    assert ("To", spelling) in server.mails[0].raw_items()  # the parsed one has no quotes


async def test_smtp_reply_code_decides_error(smtp: Smtp, server: Server) -> None:
    server.rcpt = "550 no such user"
    with pytest.raises(MessageRefusedError, match="smtp answered 550"):
        await smtp.send(MESSAGE)
    server.rcpt = "451 later"
    with pytest.raises(ProviderError, match="smtp answered 451") as later:
        await smtp.send(MESSAGE)
    assert type(later.value) is ProviderError
    server.rcpt, server.answer = "", "554 spam"
    with pytest.raises(MessageRefusedError, match="smtp answered 554"):
        await smtp.send(MESSAGE)
    server.answer = "250 OK"
    await smtp.send(MESSAGE)
    await smtp.close()


async def test_smtp_connection_dropped_in_data_is_outcome_unknown(
    smtp: Smtp, server: Server
) -> None:
    server.answer = "drop"
    with pytest.raises(OutcomeUnknownError):
        await smtp.send(MESSAGE)
    server.answer = "250 OK"
    await smtp.send(MESSAGE)
    await smtp.close()


async def test_smtp_unreachable_server_is_plain_provider_error() -> None:
    smtp = Smtp("smtp", "smtp://127.0.0.1:1", SENDER, SystemClock())
    with pytest.raises(ProviderError) as away:
        await smtp.send(MESSAGE)
    assert type(away.value) is ProviderError
