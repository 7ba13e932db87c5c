"""Limits on a signed-in client's requests, which share the service's capacity fairly.

They guard no secret, so a request goes on when Redis cannot count: an outage signs nobody out.
"""

from dataclasses import dataclass
from uuid import UUID

import structlog

from auth_service.rate_limit.model import HOUR_MS, Scope, optional_scope
from auth_service.rate_limit.service import RateLimiter
from auth_service.settings import AuthSettings
from shared.errors import ServiceUnavailable
from shared.limits import Rate

log = structlog.get_logger()
LOGOUT_OTHERS_RATES = (Rate(5, HOUR_MS),)


@dataclass(frozen=True, slots=True)
class UsageLimits:
    """Counts requests of signed-in clients. A method raises `RateLimited` when a limit is full."""

    rate_limiter: RateLimiter
    settings: AuthSettings

    async def count_write(self, user_id: UUID, session_id: UUID) -> None:
        """Count one change by a signed-in user.

        The session's limit is below the user's: a stolen session cannot use up the requests that
        its owner needs to change the password.
        """
        settings, session = self.settings, str(session_id)
        await self._count_if_available(
            *optional_scope(settings.limit_writes_per_session, "writes_per_session", session),
            *optional_scope(settings.limit_writes_per_user, "writes_per_user", str(user_id)),
        )

    async def count_refresh(self, user_id: UUID, session_id: UUID) -> None:
        """Count one exchange of a refresh token."""
        settings, session = self.settings, str(session_id)
        await self._count_if_available(
            *optional_scope(settings.limit_refresh_per_session, "refresh_per_session", session),
            *optional_scope(settings.limit_refresh_per_user, "refresh_per_user", str(user_id)),
        )

    async def count_logout_others(self, session_id: UUID) -> None:
        """Count one logout of all other sessions; without Redis: `ServiceUnavailable`.

        It also invalidates the user's codes and devices: without a limit, a stolen session could
        undo every sign-in of its owner. A logout that includes the caller's session has no limit.
        """
        await self.rate_limiter.count(
            optional_scope(LOGOUT_OTHERS_RATES, "sign_out_others", str(session_id))
        )

    async def _count_if_available(self, *scopes: Scope) -> None:
        if not scopes:
            return
        try:
            await self.rate_limiter.count(scopes)
        except ServiceUnavailable:
            _, kind, _ = scopes[0].key.split(":")
            log.warning("usage.count_failed", scope=kind)
