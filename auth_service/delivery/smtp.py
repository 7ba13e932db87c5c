"""Mail by SMTP over pooled connections."""

import contextlib
from collections.abc import AsyncIterator
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime
from urllib.parse import unquote, urlsplit

from aiosmtplib import SMTP, SMTPException, SMTPResponseException

from auth_service.delivery.errors import MessageRefusedError, OutcomeUnknownError, ProviderError
from auth_service.delivery.model import Message
from shared.clock import Clock

CONNECT_SECONDS = 3
IDLE_SECONDS = 20
MAX_IDLE = 4
PERMANENT = 500
PORTS = {"smtp": 587, "smtps": 465}
LOOPBACK = {"127.0.0.1", "::1", "localhost"}


class Smtp:
    """Sends mail by one server. A password is sent without encryption only to this machine."""

    def __init__(self, name: str, url: str, sender: str, clock: Clock) -> None:
        """`url`: `smtp://[user:password@]host[:port]` (STARTTLS) or `smtps://…` (TLS)."""
        parts = urlsplit(url)
        self.name = name
        self._sender = sender
        self._clock = clock
        self._host = parts.hostname or ""
        self._port = parts.port or PORTS[parts.scheme]
        self._tls = parts.scheme == "smtps"
        self._user = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password) if parts.password else None
        self._idle: list[tuple[SMTP, float]] = []

    async def send(self, message: Message) -> None:
        """Hand one mail over.

        Raises:
            MessageRefusedError: the server answered 5xx.
            ProviderError: it could not be reached, or answered 4xx, before it had the mail.
            OutcomeUnknownError: it had the mail, or a part of it, and did not answer.
        """
        connection = await self._connection()
        try:
            await self._hand_over(connection, message)
        except BaseException:
            connection.close()
            raise
        if len(self._idle) < MAX_IDLE:
            self._idle.append((connection, self._clock.monotonic()))
        else:
            connection.close()

    async def close(self) -> None:
        """Close the pooled connections."""
        while self._idle:
            self._idle.pop()[0].close()

    async def _connection(self) -> SMTP:
        while self._idle:
            connection, since = self._idle.pop()
            if connection.is_connected and self._clock.monotonic() - since < IDLE_SECONDS:
                return connection
            connection.close()
        # Without STARTTLS a password is not sent at all, except within this machine.
        must_encrypt = bool(self._password) and self._host not in LOOPBACK
        connection = SMTP(
            hostname=self._host,
            port=self._port,
            username=self._user,
            password=self._password,
            use_tls=self._tls,
            start_tls=None if self._tls or not must_encrypt else True,
            timeout=CONNECT_SECONDS,
        )
        try:
            await connection.connect()
        except (SMTPException, OSError, ValueError) as failed:
            connection.close()
            raise ProviderError(f"{self.name}: {type(failed).__name__}") from None
        return connection

    async def _hand_over(self, connection: SMTP, message: Message) -> None:
        content = self._compose(message)
        try:
            await connection.mail(self._envelope_sender())
            await connection.rcpt(_quote_local_part(message.to))
        except SMTPResponseException as answer:
            raise self._error(answer) from None
        except (SMTPException, OSError) as failed:
            raise ProviderError(f"{self.name}: {type(failed).__name__}") from None
        try:
            await connection.data(content)
        except SMTPResponseException as answer:
            raise self._error(answer) from None
        except (SMTPException, OSError) as failed:
            raise OutcomeUnknownError(f"{self.name}: {type(failed).__name__} in DATA") from None

    def _error(self, answer: SMTPResponseException) -> ProviderError:
        reason = f"{self.name} answered {answer.code}"
        if answer.code <= 0:  # aiosmtplib's code for a broken connection
            return OutcomeUnknownError(reason)
        return MessageRefusedError(reason) if answer.code >= PERMANENT else ProviderError(reason)

    def _envelope_sender(self) -> str:
        return self._sender.rpartition("<")[2].rstrip(">").strip()

    def _compose(self, message: Message) -> bytes:
        mail = EmailMessage(policy=SMTP_POLICY)
        mail["From"] = self._sender
        mail["To"] = _quote_local_part(message.to)
        mail["Subject"] = message.subject or ""
        mail["Date"] = format_datetime(self._clock.now())
        mail["Message-ID"] = f"<{message.id}@{self._envelope_sender().rpartition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(message.text)
        if message.html:
            mail.add_alternative(message.html, subtype="html")
        return bytes(mail)


def _quote_local_part(address: str) -> str:
    """Return the address as SMTP spells it: stray dots are in quotes. Source: RFC 5321 §4.1.2."""
    local, _, domain = address.rpartition("@")
    return f'"{local}"@{domain}' if ".." in local or local.endswith(".") else address


@contextlib.asynccontextmanager
async def open_smtp(name: str, url: str, sender: str, clock: Clock) -> AsyncIterator[Smtp]:
    """Open the provider; closes its connections at the end."""
    provider = Smtp(name, url, sender, clock)
    try:
        yield provider
    finally:
        await provider.close()
