"""Sessions: who is calling, exchanging a refresh token, ending sessions."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import structlog

from auth_service.audit.model import Event, EventName, Origin
from auth_service.keyring import Keyring
from auth_service.opaque_tokens import fingerprint, well_formed
from auth_service.parts import Parts
from auth_service.rate_limit.usage import count_use, refresh_scopes, sign_out_others_scopes
from auth_service.session import repository
from auth_service.session.errors import RefreshInvalid, RefreshReused
from auth_service.session.model import Caller, Lives, Session, SignedIn, successors
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
) -> SignedIn:
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
        held = await repository.lock_token(connection, issued)
        if held is None or not _alive(held, now, parts.lives):
            raise RefreshInvalid
        repeatable = _repeatable(held, now, parts.lives)
        if held.used_at is None or repeatable:  # dead tokens fill no limit, and none hides reuse
            await count_use(parts.throttle, scopes)
        if held.used_at is None:
            return await _rotate(parts, connection, token, held=held, now=now)
        if repeatable:
            return _repeat(parts.keyring, token, held)
        await _revoke_reused(parts, connection, held, origin, now)
    log.warning("session.reuse_detected", session_id=str(held.session.id))
    await parts.publisher.publish_pending_of_user(held.user.id)
    raise RefreshReused


async def _find_presented(
    parts: Parts, tokens: Sequence[str], session_id: UUID | None
) -> tuple[str, IssuedToken]:
    by_hash = _by_hash(tokens)
    issued = await repository.find_issued(parts.database, by_hash, session_id)
    if issued is None:
        raise RefreshInvalid
    return by_hash[issued.hash], issued


def _by_hash(tokens: Sequence[str]) -> dict[bytes, str]:
    """Return the tokens that can be ours, by what they are stored under."""
    return {fingerprint(token): token for token in tokens if well_formed("chr_", token)}


def _alive(held: LockedToken, now: datetime, lives: Lives) -> bool:
    idle = held.session.last_used_at + lives.idle <= now
    expired = held.session.expires_at <= now or (held.used_at is None and held.expires_at <= now)
    return held.user.active and not (held.session_revoked or idle or expired)


def _repeatable(held: LockedToken, now: datetime, lives: Lives) -> bool:
    in_time = held.used_at is not None and now - held.used_at <= lives.grace
    return in_time and held.successor_used_at is None


async def _revoke_reused(
    parts: Parts, connection: Connection, held: LockedToken, origin: Origin, now: datetime
) -> None:
    event = Event("session.reuse_detected", origin, held.user.id, outcome="failure")
    await repository.revoke_session(
        connection,
        held.session.id,
        held.user.id,
        reason="refresh_reused",
        event=parts.audit.packed(event),
        now=now,
        until=parts.lives.revoked_until(now),
    )


async def _rotate(
    parts: Parts, connection: Connection, token: str, *, held: LockedToken, now: datetime
) -> SignedIn:
    if held.session.device_id is None:  # it began before there were device tokens
        held = replace(held, session=replace(held.session, device_id=parts.device_tokens.draw_id()))
    successor = successors(parts.keyring, token)[0]
    expires_at = parts.lives.refresh_until(held.session.expires_at, now)
    await repository.rotate(
        connection,
        old=fingerprint(token),
        new=fingerprint(successor),
        expires_at=expires_at,
        now=now,
        token=held,
    )
    return SignedIn(held.user, held.session, successor, expires_at)


def _repeat(keyring: Keyring, token: str, held: LockedToken) -> SignedIn:
    for successor in successors(keyring, token):
        if fingerprint(successor) == held.successor_hash and held.successor_expires_at:
            return SignedIn(held.user, held.session, successor, held.successor_expires_at)
    raise ServiceUnavailable(detail="The successor's key is not known here")


async def sign_out(parts: Parts, caller: Caller, session_id: UUID, origin: Origin) -> None:
    """End one of the caller's sessions; ending it again is well.

    Raises:
        NotFound: the caller never had such a session.
        RevocationPending: it has ended, but other services may not know yet.
    """
    user_id = caller.user.id
    await _end(parts, user_id, session_id, Event("session.revoked", origin, user_id))


async def leave(parts: Parts, claims: Claims, origin: Origin) -> None:
    """End the session of these claims; one that is gone is left alone.

    Raises:
        RevocationPending: it has ended, but other services may not know yet.
    """
    await _leave(parts, claims.sub, claims.sid, origin)


async def leave_by_refresh(
    parts: Parts, tokens: Sequence[str], *, session_id: UUID | None, origin: Origin
) -> None:
    """End the session that one of these refresh tokens belongs to, likewise.

    With `session_id` a token of any other session ends nothing.
    """
    issued = await repository.find_issued(parts.database, _by_hash(tokens), session_id)
    if issued is not None:
        await _leave(parts, issued.user_id, issued.session_id, origin)


async def _leave(parts: Parts, user_id: UUID, session_id: UUID, origin: Origin) -> None:
    with suppress(NotFound):  # the account was deleted, and its sessions with it
        await _end(parts, user_id, session_id, Event("user.signed_out", origin, user_id))


async def _end(parts: Parts, user_id: UUID, session_id: UUID, event: Event) -> None:
    now = parts.clock.now()
    async with parts.database.connection() as connection:
        ended = await repository.revoke_session(
            connection,
            session_id,
            user_id,
            reason="logout",
            event=parts.audit.packed(event),
            now=now,
            until=parts.lives.revoked_until(now),
        )
    if not ended.found:
        raise NotFound
    if ended.revocation:
        await parts.publisher.publish(ended.revocation)
    else:  # but it may not have been told
        await parts.publisher.publish_pending_of_user(user_id)


async def sign_out_everywhere(
    parts: Parts, caller: Caller, origin: Origin, *, except_current: bool
) -> None:
    """End all of the caller's sessions, or all but the one that asks.

    Raises:
        RateLimited: the session has signed the others out too often lately.
        RevocationPending: they have ended, but other services may not know yet.
    """
    if except_current:
        await parts.throttle.attempt(sign_out_others_scopes(caller.session_id))
    now = parts.clock.now()
    user_id, until = caller.user.id, parts.lives.revoked_until(now)
    session_id, kept = caller.session_id, {"kept": "this session"} if except_current else {}
    name: EventName = "user.signed_out_everywhere"
    event = parts.audit.packed(Event(name, origin, user_id, session_id=session_id, details=kept))
    told = {"reason": "logout_all", "event": event}
    async with parts.invalidator.revoking(
        parts.database, caller.user, keep=caller.device_id if except_current else None
    ) as connection:
        if except_current:
            await repository.revoke_others(
                connection, user_id, session_id, **told, now=now, until=until
            )
        else:
            await repository.revoke_user(connection, user_id, **told, now=now, until=until)
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
