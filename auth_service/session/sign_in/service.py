"""Where a session is created, whatever the first factor was.

Every way in ends in `Opener.open_in`, and one statement stores every session; the ways differ in
how it finds the user. A second factor will be asked for here: `repository.MAY_ENTER`, by which
that statement lets a user in, leaves out who has one, and `open_in` says what is missing.
"""

from contextlib import suppress

import structlog

from auth_service.audit.model import Event
from auth_service.audit.service import Audit
from auth_service.client import Client
from auth_service.device.service import KnownDevices
from auth_service.notification.service import SIGN_IN, Notifications
from auth_service.opaque_tokens import SECRET_BYTES, fingerprint, wrap
from auth_service.revocation.errors import RevocationPending
from auth_service.revocation.service import Publisher
from auth_service.session.model import Entrance, Lives, SignedIn
from auth_service.session.sign_in import repository
from auth_service.session.sign_in.model import MOST_SESSIONS, Holder, NewSession, Opened, Opening
from auth_service.user.model import Account, User
from shared.clock import Clock
from shared.db import Connection, Database
from shared.entropy import Entropy, new_id
from shared.errors import ServiceUnavailable

log = structlog.get_logger()


class Opener:
    """Creates sessions. A session is stored only while the account is still as it was read."""

    def __init__(
        self,
        database: Database,
        devices: KnownDevices,
        notifications: Notifications,
        audit: Audit,
        lives: Lives,
        *,
        publisher: Publisher,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        """Write to `database`, with an event for each session."""
        self._database = database
        self._devices = devices
        self._notifications = notifications
        self._audit = audit
        self._lives = lives
        self._publisher = publisher
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
        self, connection: Connection, whose: Account | Holder, entrance: Entrance
    ) -> Opening | None:
        """Sign the user in, by one statement; nobody is told, and nothing is published.

        None when the account has changed since it was read, somebody else made the holder at this
        moment, or they may not be signed in; nothing was stored then.
        """
        token = wrap("chr_", self._entropy.bytes(SECRET_BYTES))
        now = self._clock.now()
        ends = now + self._lives.absolute
        new = NewSession(
            id=new_id(self._clock, self._entropy),
            client=entrance.client,
            amr=entrance.amr,
            now=now,
            ends=ends,
            refresh_hash=fingerprint(token),
            refresh_ends=self._lives.refresh_until(ends, now),
            event=self._audit.packed(entrance.event()),
            asked_at=entrance.asked_at,
        )
        opened = await repository.open_session(connection, whose, new)
        if opened is None:
            return None
        ended = opened.has_many_sessions and await self._end_surplus(connection, opened, entrance)
        signed_in = SignedIn(opened.user, opened.session, token, new.refresh_ends)
        return Opening(signed_in, opened.is_new, opened.known_network, ended_others=ended)

    async def _end_surplus(
        self, connection: Connection, opened: Opened, entrance: Entrance
    ) -> bool:
        event = Event("session.revoked", entrance.origin, opened.user.id)
        return await repository.end_surplus(
            connection,
            opened,
            MOST_SESSIONS,
            event=self._audit.packed(event),
            until=self._lives.revoked_until(opened.session.created_at),
        )

    async def greet(self, opening: Opening, entrance: Entrance) -> None:
        """Finish a sign-in that is committed: publish, remember the device, announce a new one.

        Nothing here keeps anybody from signing in. Sessions that the sign-in ended are published
        soon after where Redis is away.
        """
        user, client = opening.signed_in.user, entrance.client
        if opening.ended_others:
            with suppress(RevocationPending):
                await self._publisher.publish_pending_of_user(user.id)
        known = await self._remember(user, client)
        if known or opening.is_new or (client.device_is_new and opening.known_network):
            return
        await self._notifications.send(user, SIGN_IN, client)

    async def _remember(self, user: User, client: Client) -> bool:
        if client.device is None:
            return False
        try:
            return await self._devices.remember(user.id, user.challenged, client.device)
        except ServiceUnavailable:
            log.warning("device.remember_failed", user_id=str(user.id))
            return False
