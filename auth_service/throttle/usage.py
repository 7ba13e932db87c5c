"""Limits on what a signed-in client may do: they share the service's time fairly.

They decide nothing about who gets in. So where Redis cannot count, the request goes on: an
outage of Redis signs nobody out.
"""

from collections.abc import Sequence
from uuid import UUID

import structlog

from auth_service.settings import AuthSettings
from auth_service.throttle.model import Scope, digest
from auth_service.throttle.service import Throttle
from shared.errors import ServiceUnavailable
from shared.limits import Rates

log = structlog.get_logger()


def write_scopes(settings: AuthSettings, user_id: UUID, session_id: UUID) -> Sequence[Scope]:
    """Return what one change by a signed-in user counts in.

    The session's limit is below the user's: whoever holds one stolen session cannot use up what
    its owner needs to change the password.
    """
    return [
        *_scope("writes_per_session", settings.limit_writes_per_session, session_id),
        *_scope("writes_per_user", settings.limit_writes_per_user, user_id),
    ]


def refresh_scopes(settings: AuthSettings, user_id: UUID, session_id: UUID) -> Sequence[Scope]:
    """Return what one exchange of a refresh token counts in, likewise."""
    return [
        *_scope("refresh_per_session", settings.limit_refresh_per_session, session_id),
        *_scope("refresh_per_user", settings.limit_refresh_per_user, user_id),
    ]


async def count_use(throttle: Throttle, scopes: Sequence[Scope]) -> None:
    """Count one use in all of the scopes, where they can be counted.

    Raises:
        RateLimited: one of them is full; nothing was counted.
    """
    if not scopes:
        return
    try:
        await throttle.attempt(scopes)
    except ServiceUnavailable:
        log.warning("usage.count_failed", scope=scopes[0].name)


def _scope(name: str, rates: Rates, whose: UUID) -> Sequence[Scope]:
    return (Scope(name, f"limit:{name}:{digest(str(whose))}", rates),) if rates else ()
