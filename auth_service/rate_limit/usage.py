"""Limits on what a signed-in client may do: they share the service's time fairly.

They decide nothing about who gets in. So where Redis cannot count, the request goes on: an
outage of Redis signs nobody out.
"""

from collections.abc import Sequence
from uuid import UUID

import structlog

from auth_service.rate_limit.model import HOUR_MS, Scope, limit_scope
from auth_service.rate_limit.service import Throttle
from auth_service.settings import AuthSettings
from shared.errors import ServiceUnavailable
from shared.limits import Rate

log = structlog.get_logger()
SIGN_OUT_OTHERS = (Rate(5, HOUR_MS),)


def write_scopes(settings: AuthSettings, user_id: UUID, session_id: UUID) -> Sequence[Scope]:
    """Return what one change by a signed-in user counts in.

    The session's limit is below the user's: whoever holds one stolen session cannot use up what
    its owner needs to change the password.
    """
    per_session, per_user = settings.limit_writes_per_session, settings.limit_writes_per_user
    return [
        *limit_scope("writes_per_session", per_session, "writes_per_session", str(session_id)),
        *limit_scope("writes_per_user", per_user, "writes_per_user", str(user_id)),
    ]


def refresh_scopes(settings: AuthSettings, user_id: UUID, session_id: UUID) -> Sequence[Scope]:
    """Return what one exchange of a refresh token counts in."""
    per_session, per_user = settings.limit_refresh_per_session, settings.limit_refresh_per_user
    return [
        *limit_scope("refresh_per_session", per_session, "refresh_per_session", str(session_id)),
        *limit_scope("refresh_per_user", per_user, "refresh_per_user", str(user_id)),
    ]


def sign_out_others_scopes(session_id: UUID) -> Sequence[Scope]:
    """Return what one sign-out of all other sessions counts in.

    It also ends the codes and devices of the user. Without a limit one stolen session would end
    whatever its owner begins. A sign-out that ends its caller too has none.
    """
    return limit_scope("sign_out_others", SIGN_OUT_OTHERS, "sign_out_others", str(session_id))


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
