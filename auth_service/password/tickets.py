"""Reset tickets: each lets its bearer set a password once."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from auth_service.password import repository
from auth_service.password.repository import ResetTicket
from auth_service.token.repository import consume_ticket
from auth_service.user.model import Account
from shared.clock import Clock
from shared.db import Connection, Database
from shared.entropy import Entropy
from shared.opaque_tokens import SECRET_BYTES, encode_token, has_valid_checksum, hash_token

TICKET_LIFE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class ResetTickets:
    """Issues and consumes reset tickets; the database stores their hashes alone."""

    database: Database
    clock: Clock
    entropy: Entropy

    def generate(self) -> str:
        """Return a new ticket, which is not stored."""
        return encode_token("cht_", self.entropy.bytes(SECRET_BYTES))

    @staticmethod
    def is_well_formed(ticket: str) -> bool:
        """Return whether the text can be one of our tickets."""
        return has_valid_checksum("cht_", ticket)

    async def issue(
        self, account: Account, to: str, code_requested_at: datetime | None
    ) -> str | None:
        """Store a ticket and return it; None when the account has changed since it was read.

        `to`: the address that proved the code, requested at `code_requested_at`.
        """
        ticket, now = self.generate(), self.clock.now()
        new = ResetTicket(hash_token(ticket), to, now, now + TICKET_LIFE, code_requested_at)
        is_stored = await repository.add_ticket(self.database, account, new)
        return ticket if is_stored else None

    async def find(self, ticket: str) -> Account | None:
        """Return the account of an active ticket, which stays active."""
        return await repository.find_ticket(self.database, hash_token(ticket), self.clock.now())

    async def consume(self, connection: Connection, ticket: str) -> bool:
        """Consume a ticket; of concurrent calls one returns True."""
        return await consume_ticket(connection, "reset", hash_token(ticket), self.clock.now())
