"""Exchanging refresh tokens: rotation, re-issue after a lost answer, reuse detection."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import structlog

from auth_service.audit.model import Event, Origin
from auth_service.device.model import DeviceTokens
from auth_service.device.repository import forget_device_of_session, is_remembered
from auth_service.rate_limit.usage import UsageLimits
from auth_service.session import repository
from auth_service.session.errors import RefreshInvalid, RefreshReused
from auth_service.session.model import (
    MFA,
    IssuedToken,
    LockedRefreshToken,
    SessionLifetimes,
    SignedInUser,
    derive_successors,
)
from auth_service.session.service import SessionService
from auth_service.settings import AuthSettings
from shared.clock import Clock
from shared.db import Connection, Database
from shared.errors import ServiceUnavailable
from shared.opaque_tokens import has_valid_checksum, hash_token

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshService:
    """Exchanges refresh tokens; `sessions` revokes the session of a reused one."""

    database: Database
    sessions: SessionService
    device_tokens: DeviceTokens
    usage_limits: UsageLimits
    settings: AuthSettings
    lifetimes: SessionLifetimes
    clock: Clock

    async def refresh(
        self, tokens: Sequence[str], *, session_id: UUID | None, origin: Origin
    ) -> SignedInUser:
        """Exchange a refresh token for its successor.

        The previous token gets the same successor again, so that a lost answer does not sign the
        client out. That ends when the successor is exchanged. It also ends when auth_service has
        seen an access token of the successor and `lifetimes.refresh_grace` is over.

        With `session_id`, tokens of other sessions are ignored, and several may be presented.

        Raises:
            RefreshInvalid: the token is unknown or expired, its session has ended, or it has not
                proven the factor that a role of its user demands.
            RateLimited: the session or the user refreshed too often lately; no token was used.
            RefreshReused: the token was exchanged before; its session is revoked.
            RevocationPending: likewise, but other services may not know yet.
            ServiceUnavailable: no key derives the stored successor (rotated too early).
        """
        issued = await self.find(tokens, session_id)
        if issued is None:
            raise RefreshInvalid
        token = _tokens_by_hash(tokens)[issued.hash]
        now = self.clock.now()
        async with self.database.transaction() as connection:
            locked = await repository.lock_refresh_token(connection, issued)
            if locked is None or not self._is_alive(locked, now):
                raise RefreshInvalid
            may_reissue = self._may_reissue(locked, now)
            if locked.used_at is None or may_reissue:  # reuse must be detected at any rate
                await self._require_demanded_factor(connection, locked, now)
                await self.usage_limits.count_refresh(issued.user_id, issued.session_id)
            if locked.used_at is None:
                return await self._rotate(connection, token, locked, now)
            if may_reissue:
                return self._reissue(token, locked)
            event = Event("session.reuse_detected", origin, locked.user.id, outcome="failure")
            await self.sessions.revoke_unpublished(
                connection, locked.user.id, locked.session.id, event, reason="refresh_reused"
            )
        log.warning("session.reuse_detected", session_id=str(locked.session.id))
        # the device's token lies beside the copied one; a user is locked before sessions
        async with self.database.transaction() as connection:
            await repository.lock_user(connection, locked.user.id)
            await forget_device_of_session(connection, locked.session.id, locked.user.id)
        await self.sessions.publish(locked.user.id)
        raise RefreshReused

    async def logout(
        self, tokens: Sequence[str], *, session_id: UUID | None, origin: Origin
    ) -> None:
        """Revoke the session of one of the tokens; with `session_id`, of that session's alone.

        Raises:
            RevocationPending: it is revoked, but other services may not know yet.
        """
        issued = await self.find(tokens, session_id)
        if issued is not None:
            await self.sessions.logout(issued.user_id, issued.session_id, origin)

    async def find(self, tokens: Sequence[str], session_id: UUID | None) -> IssuedToken | None:
        """Return the one of the tokens that was issued, for the session if there is one."""
        return await repository.find_refresh_token(
            self.database, _tokens_by_hash(tokens), session_id
        )

    def _is_alive(self, token: LockedRefreshToken, now: datetime) -> bool:
        session = token.session
        is_idle = session.last_used_at + self.lifetimes.idle <= now
        newest_expires_at = token.successor_expires_at or token.expires_at
        has_expired = session.expires_at <= now or (
            token.successor_used_at is None and newest_expires_at <= now
        )
        return token.user.active and not (token.session_revoked or is_idle or has_expired)

    async def _require_demanded_factor(
        self, connection: Connection, token: LockedRefreshToken, now: datetime
    ) -> None:
        """Return if the session may lack a factor, has proven one, or has a remembered device.

        The role, the setting or the removal of a factor may be newer than the session. A factor
        that its user has added elsewhere says nothing about the session's holder.

        Raises:
            RefreshInvalid: it has to sign in anew.
        """
        user, session = token.user, token.session
        if MFA in session.amr or not self.settings.demands_factor(user.roles):
            return
        if not self.settings.mfa_remember_days or not await is_remembered(
            connection, user.id, session.device_id, now
        ):
            raise RefreshInvalid

    def _may_reissue(self, token: LockedRefreshToken, now: datetime) -> bool:
        if token.used_at is None or token.successor_used_at is not None:
            return False
        within_grace = now - token.used_at <= self.lifetimes.refresh_grace
        return within_grace or not token.successor_is_seen

    async def _rotate(
        self, connection: Connection, token: str, locked: LockedRefreshToken, now: datetime
    ) -> SignedInUser:
        if locked.session.device_id is None:  # the session is older than device tokens
            device_id = self.device_tokens.generate_id()
            locked = replace(locked, session=replace(locked.session, device_id=device_id))
        successor = derive_successors(self.device_tokens.keyring, token)[0]
        expires_at = self.lifetimes.refresh_expiry(locked.session.expires_at, now)
        await repository.rotate_token(
            connection, locked, hash_token(successor), expires_at=expires_at, now=now
        )
        session = replace(locked.session, rotations=locked.session.rotations + 1)
        return SignedInUser(locked.user, session, successor, expires_at)

    def _reissue(self, token: str, locked: LockedRefreshToken) -> SignedInUser:
        for successor in derive_successors(self.device_tokens.keyring, token):
            if hash_token(successor) == locked.successor_hash and locked.successor_expires_at:
                log.info("session.refresh_repeated", session_id=str(locked.session.id))
                return SignedInUser(
                    locked.user, locked.session, successor, locked.successor_expires_at
                )
        raise ServiceUnavailable(detail="The successor's key is not known here")


def _tokens_by_hash(tokens: Sequence[str]) -> dict[bytes, str]:
    """Return the tokens that can be ours, by their stored hash."""
    return {hash_token(token): token for token in tokens if has_valid_checksum("chr_", token)}
