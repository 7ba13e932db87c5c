"""Where a session is created, whatever the first factor was.

A second factor will be asked for here: in `Opener.open_in`, before anything is stored.
"""

from dataclasses import dataclass

from auth_service.audit.service import Audit
from auth_service.delivery.notices import Notices
from auth_service.opaque import SECRET_BYTES, fingerprint, wrap
from auth_service.opening import repository
from auth_service.opening.repository import NewSession
from auth_service.session.model import Entrance, Lives, SignedIn
from auth_service.user.model import Account
from shared.clock import Clock
from shared.db import Connection, Database
from shared.entropy import Entropy, new_id


@dataclass(frozen=True, slots=True)
class Opening:
    """A session that was stored. `strange`: the user was not seen with this device before."""

    signed_in: SignedIn
    strange: bool


class Opener:
    """Creates sessions. A session is stored only while the account is still as it was read."""

    def __init__(
        self,
        database: Database,
        notices: Notices,
        audit: Audit,
        lives: Lives,
        *,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        """Write to `database`, with an event for each session."""
        self._database = database
        self._notices = notices
        self._audit = audit
        self._lives = lives
        self._clock = clock
        self._entropy = entropy

    async def open(self, account: Account, entrance: Entrance) -> SignedIn | None:
        """Sign the user in; one who was not seen with this device before is told of it.

        None when the account has changed since it was read, or may not be signed in.
        """
        async with self._database.connection() as connection:
            opening = await self.open_in(connection, account, entrance)
        if opening is None:
            return None
        await self.greet(opening, entrance)
        return opening.signed_in

    async def open_in(
        self, connection: Connection, account: Account, entrance: Entrance
    ) -> Opening | None:
        """Sign the user in within a transaction; nobody is told."""
        token = wrap("chr_", self._entropy.bytes(SECRET_BYTES))
        now = self._clock.now()
        ends = now + self._lives.absolute
        new = NewSession(
            id=new_id(self._clock, self._entropy),
            device=entrance.device,
            amr=entrance.amr,
            now=now,
            ends=ends,
            refresh_hash=fingerprint(token),
            refresh_ends=self._lives.refresh_until(ends, now),
            event=self._audit.packed(entrance.event()),
        )
        opened = await repository.open_session(connection, account, new)
        if opened is None:
            return None
        signed_in = SignedIn(opened.user, opened.session, token, new.refresh_ends)
        return Opening(signed_in, strange=not opened.known_device)

    async def greet(self, opening: Opening, entrance: Entrance) -> None:
        """Tell a user who was not seen with this device before."""
        if not opening.strange:
            return
        told, request_id = entrance.told(self._clock.now()), entrance.request_id
        await self._notices.tell(opening.signed_in.user, "new_sign_in", told, request_id=request_id)
