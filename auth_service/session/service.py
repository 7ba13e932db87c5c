"""Sessions: who is calling, exchanging a refresh token, ending sessions."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import structlog

from auth_service.audit.model import Event, EventName, Origin
from auth_service.keyring import Keyring
from auth_service.opaque_tokens import has_valid_checksum, hash_token
from auth_service.parts import Parts
from auth_service.rate_limit.usage import count_if_available, logout_others_scopes, refresh_scopes
from auth_service.session import repository
from auth_service.session.errors import RefreshInvalid, RefreshReused
from auth_service.session.model import (
    Caller,
    Session,
    SessionLifetimes,
    SignedInUser,
    derive_successors,
)
from auth_service.session.repository import IssuedToken, LockedToken
from shared.clock import Clock
from shared.db import Connection, Database
from shared.errors import NotFound, ServiceUnavailable, TokenRevoked
from shared.paging import Position
from shared.tokens import Claims

log = structlog.get_logger()


async def find_caller(database: Database, claims: Claims, *, clock: Clock) -> Caller:
    """Return who is calling; auth_service asks its own tables, the authority, every time.

    Raises:
        TokenRevoked: the session has ended, or the user may not be signed in any more.
    """
    found = await repository.find_caller(database, claims.sid, claims.sub, claims.gen, clock.now())
    if found is None:
        raise TokenRevoked
    user, device = found
    return Caller(user, claims.sid, datetime.fromtimestamp(claims.auth_time, UTC), device)


async def refresh(
    parts: Parts, tokens: Sequence[str], *, session_id: UUID | None, origin: Origin
) -> SignedInUser:
    """Exchange a refresh token for its successor.

    The token before the current one may be repeated for `lives.grace` while its successor is
    unused, and gives the same successor: an answer that was lost signs nobody out. With
    `session_id` a token of any other session is as good as none, and several may be presented.

    Raises:
        RefreshInvalid: never issued, expired, or the session is over; nothing was touched.
        RateLimited: the session or the user refreshed too often lately; no token was spent.
        RefreshReused: exchanged before; the session is revoked.
        RevocationPending: likewise, but other services may not know yet.
        ServiceUnavailable: no key gives the stored successor (rotated too early).
    """
    token, issued = await _find_presented(parts, tokens, session_id)
    scopes = refresh_scopes(parts.settings, issued.user_id, issued.session_id)
    now = parts.clock.now()
    async with parts.database.transaction() as connection:
        held = await repository.lock_refresh_token(connection, issued)
        if held is None or not _is_alive(held, now, parts.lives):
            raise RefreshInvalid
        repeatable = _may_reissue(held, now, parts.lives)
        if held.used_at is None or repeatable:  # dead tokens fill no limit, and none hides reuse
            await count_if_available(parts.rate_limiter, scopes)
        if held.used_at is None:
            return await _rotate(parts, connection, token, held=held, now=now)
        if repeatable:
            return _reissue(parts.keyring, token, held)
        await _revoke_for_reuse(parts, connection, held, origin, now)
    log.warning("session.reuse_detected", session_id=str(held.session.id))
    await parts.publisher.publish_pending_of_user(held.user.id)
    raise RefreshReused


async def _find_presented(
    parts: Parts, tokens: Sequence[str], session_id: UUID | None
) -> tuple[str, IssuedToken]:
    by_hash = _tokens_by_hash(tokens)
    issued = await repository.find_refresh_token(parts.database, by_hash, session_id)
    if issued is None:
        raise RefreshInvalid
    return by_hash[issued.hash], issued


def _tokens_by_hash(tokens: Sequence[str]) -> dict[bytes, str]:
    """Return the tokens that can be ours, by what they are stored under."""
    return {hash_token(token): token for token in tokens if has_valid_checksum("chr_", token)}


def _is_alive(held: LockedToken, now: datetime, lives: SessionLifetimes) -> bool:
    idle = held.session.last_used_at + lives.idle <= now
    expired = held.session.expires_at <= now or (held.used_at is None and held.expires_at <= now)
    return held.user.active and not (held.session_revoked or idle or expired)


def _may_reissue(held: LockedToken, now: datetime, lives: SessionLifetimes) -> bool:
    in_time = held.used_at is not None and now - held.used_at <= lives.refresh_grace
    return in_time and held.successor_used_at is None


async def _revoke_for_reuse(
    parts: Parts, connection: Connection, held: LockedToken, origin: Origin, now: datetime
) -> None:
    event = Event("session.reuse_detected", origin, held.user.id, outcome="failure")
    await repository.revoke_session(
        connection,
        held.session.id,
        held.user.id,
        reason="refresh_reused",
        event=parts.audit.to_json(event),
        now=now,
        until=parts.lives.revocation_expiry(now),
    )


async def _rotate(
    parts: Parts, connection: Connection, token: str, *, held: LockedToken, now: datetime
) -> SignedInUser:
    if held.session.device_id is None:  # it began before there were device tokens
        held = replace(
            held, session=replace(held.session, device_id=parts.device_tokens.generate_id())
        )
    successor = derive_successors(parts.keyring, token)[0]
    expires_at = parts.lives.refresh_expiry(held.session.expires_at, now)
    await repository.rotate_token(
        connection,
        old=hash_token(token),
        new=hash_token(successor),
        expires_at=expires_at,
        now=now,
        token=held,
    )
    return SignedInUser(held.user, held.session, successor, expires_at)


def _reissue(keyring: Keyring, token: str, held: LockedToken) -> SignedInUser:
    for successor in derive_successors(keyring, token):
        if hash_token(successor) == held.successor_hash and held.successor_expires_at:
            return SignedInUser(held.user, held.session, successor, held.successor_expires_at)
    raise ServiceUnavailable(detail="The successor's key is not known here")


async def revoke_session(parts: Parts, caller: Caller, session_id: UUID, origin: Origin) -> None:
    """End one of the caller's sessions; ending it again is well.

    Raises:
        NotFound: the caller never had such a session.
        RevocationPending: it has ended, but other services may not know yet.
    """
    user_id = caller.user.id
    await _revoke(parts, user_id, session_id, Event("session.revoked", origin, user_id))


async def logout(parts: Parts, claims: Claims, origin: Origin) -> None:
    """End the session of these claims; one that is gone is left alone.

    Raises:
        RevocationPending: it has ended, but other services may not know yet.
    """
    await _logout(parts, claims.sub, claims.sid, origin)


async def logout_by_refresh_token(
    parts: Parts, tokens: Sequence[str], *, session_id: UUID | None, origin: Origin
) -> None:
    """End the session that one of these refresh tokens belongs to, likewise.

    With `session_id` a token of any other session ends nothing.
    """
    issued = await repository.find_refresh_token(
        parts.database, _tokens_by_hash(tokens), session_id
    )
    if issued is not None:
        await _logout(parts, issued.user_id, issued.session_id, origin)


async def _logout(parts: Parts, user_id: UUID, session_id: UUID, origin: Origin) -> None:
    with suppress(NotFound):  # the account was deleted, and its sessions with it
        await _revoke(parts, user_id, session_id, Event("user.signed_out", origin, user_id))


async def _revoke(parts: Parts, user_id: UUID, session_id: UUID, event: Event) -> None:
    now = parts.clock.now()
    async with parts.database.connection() as connection:
        ended = await repository.revoke_session(
            connection,
            session_id,
            user_id,
            reason="logout",
            event=parts.audit.to_json(event),
            now=now,
            until=parts.lives.revocation_expiry(now),
        )
    if not ended.found:
        raise NotFound
    if ended.revocation:
        await parts.publisher.publish(ended.revocation)
    else:  # but it may not have been told
        await parts.publisher.publish_pending_of_user(user_id)


async def logout_all(parts: Parts, caller: Caller, origin: Origin, *, except_current: bool) -> None:
    """End all of the caller's sessions, or all but the one that asks.

    Raises:
        RateLimited: the session has signed the others out too often lately.
        RevocationPending: they have ended, but other services may not know yet.
    """
    if except_current:
        await parts.rate_limiter.count(logout_others_scopes(caller.session_id))
    now = parts.clock.now()
    user_id, until = caller.user.id, parts.lives.revocation_expiry(now)
    session_id, kept = caller.session_id, {"kept": "this session"} if except_current else {}
    name: EventName = "user.signed_out_everywhere"
    event = parts.audit.to_json(Event(name, origin, user_id, session_id=session_id, details=kept))
    told = {"reason": "logout_all", "event": event}
    async with parts.invalidator.revocation_transaction(
        parts.database, caller.user, keep=caller.device_id if except_current else None
    ) as connection:
        if except_current:
            await repository.revoke_other_sessions(
                connection, user_id, session_id, **told, now=now, until=until
            )
        else:
            await repository.revoke_all_sessions(connection, user_id, **told, now=now, until=until)
    await parts.publisher.publish_pending_of_user(user_id)


async def list_sessions(
    parts: Parts, caller: Caller, before: Position[UUID], limit: int
) -> list[Session]:
    """Return up to `limit` of the caller's live sessions, the newest first."""
    now = parts.clock.now()
    return await repository.list_sessions(
        parts.database,
        caller.user.id,
        now=now,
        used_after=now - parts.lives.idle,
        before=before,
        limit=limit,
    )
