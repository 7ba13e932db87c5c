"""A user's sessions: the caller of a request, listing, and revoking."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from auth_service.audit.model import Event, EventName, Origin
from auth_service.audit.service import AuditLog
from auth_service.device.repository import forget_device_of_session
from auth_service.otp.invalidation import CodeInvalidator
from auth_service.rate_limit.usage import UsageLimits
from auth_service.revocation.model import NewRevocation
from auth_service.revocation.service import Publisher
from auth_service.session import repository
from auth_service.session.model import (
    ActiveSessionFilter,
    Caller,
    RevokeResult,
    Session,
    SessionLifetimes,
)
from shared.clock import Clock
from shared.db import Database, Executor
from shared.errors import NotFound, TokenRevoked
from shared.paging import Position
from shared.tokens import Claims

LOGOUT_ALL: EventName = "user.signed_out_everywhere"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionService:
    """Reads and revokes sessions."""

    database: Database
    invalidator: CodeInvalidator
    publisher: Publisher
    audit: AuditLog
    usage_limits: UsageLimits
    lifetimes: SessionLifetimes
    clock: Clock

    async def require_caller(self, claims: Claims) -> Caller:
        """Return the user and session of an access token, read from the database every time.

        Raises:
            TokenRevoked: the session has ended, or the user may not sign in any more.
        """
        session = await repository.find_active_session(
            self.database, claims.sid, claims.sub, claims.gen, self.clock.now()
        )
        if session is None:
            raise TokenRevoked
        if claims.rot > session.rotations_seen:  # once after each refresh
            await repository.record_seen_rotation(self.database, claims.sid, claims.rot)
        auth_time = datetime.fromtimestamp(claims.auth_time, UTC)
        amr = session.still_counted(claims.amr)
        return Caller(session.user, claims.sid, auth_time, session.device_id, claims.rot, amr)

    async def list_sessions(
        self, caller: Caller, before: Position[UUID], limit: int
    ) -> list[Session]:
        """Return up to `limit` of the caller's active sessions, the newest first."""
        now = self.clock.now()
        active = ActiveSessionFilter(caller.user.id, now, now - self.lifetimes.idle)
        return await repository.list_sessions(self.database, active, before, limit)

    async def revoke(self, caller: Caller, session_id: UUID, origin: Origin) -> None:
        """Revoke one of the caller's sessions; repeating it succeeds.

        The device of another session is asked for the second factor again: it may be lost.

        Raises:
            NotFound: the caller never had such a session.
            RevocationPending: it is revoked, but other services may not know yet.
        """
        user_id = caller.user.id
        event = Event("session.revoked", origin, user_id)
        async with self.database.transaction() as connection:
            await repository.lock_user(connection, user_id)
            result = await self.revoke_unpublished(
                connection, user_id, session_id, event, reason="logout"
            )
            if session_id != caller.session_id:
                await forget_device_of_session(connection, session_id, user_id)
        if not result.found:
            raise NotFound
        await self._publish_result(user_id, result)

    async def logout(self, user_id: UUID, session_id: UUID, origin: Origin) -> None:
        """Revoke the session; do nothing when it no longer exists.

        Raises:
            RevocationPending: it is revoked, but other services may not know yet.
        """
        event = Event("user.signed_out", origin, user_id)
        result = await self.revoke_unpublished(
            self.database, user_id, session_id, event, reason="logout"
        )
        await self._publish_result(user_id, result)

    async def _publish_result(self, user_id: UUID, result: RevokeResult) -> None:
        if result.revocation:
            await self.publisher.publish(result.revocation)
        else:  # an earlier request ended it, or deleted the account, perhaps without publishing
            await self.publish(user_id)

    async def revoke_unpublished(
        self, executor: Executor, user_id: UUID, session_id: UUID, event: Event, *, reason: str
    ) -> RevokeResult:
        """Revoke a session, perhaps in a transaction; `publish` has to follow the commit."""
        new = self._new_revocation(reason, event)
        return await repository.revoke_session(executor, session_id, user_id, new)

    async def publish(self, user_id: UUID) -> None:
        """Publish the user's unpublished revocations.

        Raises:
            RevocationPending: other services may not know of them yet.
        """
        await self.publisher.publish_pending_of_user(user_id)

    async def logout_all(self, caller: Caller, origin: Origin) -> None:
        """Revoke all of the caller's sessions.

        Raises:
            RevocationPending: they are revoked, but other services may not know yet.
        """
        user = caller.user
        new = self._new_revocation("logout_all", caller.event(LOGOUT_ALL, origin))
        async with self.invalidator.revocation_transaction(user) as connection:
            await repository.revoke_all_sessions(connection, user.id, new)
        await self.publish(user.id)

    async def logout_others(self, caller: Caller, origin: Origin) -> None:
        """Revoke all of the caller's sessions but the current one.

        Raises:
            RateLimited: the session has done so too often lately.
            RevocationPending: they are revoked, but other services may not know yet.
        """
        await self.usage_limits.count_logout_others(caller.session_id)
        user = caller.user
        event = caller.event(LOGOUT_ALL, origin, kept="this session")
        new = self._new_revocation("logout_all", event)
        async with self.invalidator.revocation_transaction(
            user, keep=caller.device_id
        ) as connection:
            await repository.revoke_other_sessions(connection, user.id, caller.session_id, new)
        await self.publish(user.id)

    def _new_revocation(self, reason: str, event: Event) -> NewRevocation:
        return self.lifetimes.new_revocation(reason, self.audit.to_json(event), self.clock.now())
