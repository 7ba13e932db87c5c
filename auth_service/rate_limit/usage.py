"""Limits on a signed-in client's requests, which share the service's capacity fairly.

They guard no secret, so a request goes on when Redis cannot count: an outage signs nobody out.
"""

from collections.abc import Sequence
from uuid import UUID

import structlog

from auth_service.rate_limit.model import HOUR_MS, Scope, limit_scope
from auth_service.rate_limit.service import RateLimiter
from auth_service.settings import AuthSettings
from shared.errors import ServiceUnavailable
from shared.limits import Rate

log = structlog.get_logger()
LOGOUT_OTHERS_RATES = (Rate(5, HOUR_MS),)


def write_scopes(settings: AuthSettings, user_id: UUID, session_id: UUID) -> Sequence[Scope]:
    """Return the scopes of one change by a signed-in user.

    The session's limit is below the user's: a stolen session cannot use up the requests that its
    owner needs to change the password.
    """
    per_session, per_user = settings.limit_writes_per_session, settings.limit_writes_per_user
    return [
        *limit_scope("writes_per_session", per_session, "writes_per_session", str(session_id)),
        *limit_scope("writes_per_user", per_user, "writes_per_user", str(user_id)),
    ]


def refresh_scopes(settings: AuthSettings, user_id: UUID, session_id: UUID) -> Sequence[Scope]:
    """Return the scopes of one exchange of a refresh token."""
    per_session, per_user = settings.limit_refresh_per_session, settings.limit_refresh_per_user
    return [
        *limit_scope("refresh_per_session", per_session, "refresh_per_session", str(session_id)),
        *limit_scope("refresh_per_user", per_user, "refresh_per_user", str(user_id)),
    ]


def logout_others_scopes(session_id: UUID) -> Sequence[Scope]:
    """Return the scopes of one logout of all other sessions.

    It also invalidates the user's codes and devices: without a limit, a stolen session could undo
    every sign-in of its owner. A logout that includes the caller's session has no limit.
    """
    return limit_scope("sign_out_others", LOGOUT_OTHERS_RATES, "sign_out_others", str(session_id))


async def count_if_available(rate_limiter: RateLimiter, scopes: Sequence[Scope]) -> None:
    """Count one request in all of the scopes; do nothing while Redis is away.

    Raises:
        RateLimited: one of them is full; nothing was counted.
    """
    if not scopes:
        return
    try:
        await rate_limiter.count(scopes)
    except ServiceUnavailable:
        log.warning("usage.count_failed", scope=scopes[0].name)
