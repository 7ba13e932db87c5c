"""Settings of second factors."""

from collections.abc import Collection

from pydantic import Field

from auth_service.settings.roles import Roles
from shared.settings import ServiceSettings


class FactorSettings(ServiceSettings):
    """The settings of second factors."""

    mfa_remember_days: int = Field(
        30,
        ge=0,
        le=365,
        description="days for which a remembered device signs in without its user's second factor; "
        "0: no device is remembered",
    )
    mfa_required_roles: Roles = Field(
        (),
        description="roles that demand a second factor: `admin`, `editor`, comma-separated. Users "
        "with such a role add one before they can do anything else",
    )

    def demands_factor(self, roles: Collection[str]) -> bool:
        """Return whether one of a user's roles needs a second factor."""
        return not frozenset(roles).isdisjoint(self.mfa_required_roles)
