"""Settings of sessions: their lifetimes, and how often they may refresh and write."""

from pydantic import Field

from shared.limits import LimitedSettings, Rates, rates_field


class SessionSettings(LimitedSettings):
    """The settings of sessions."""

    refresh_token_ttl: int = Field(
        2_592_000, gt=0, description="nothing of a session outlives this, from sign-in, s"
    )
    session_idle_ttl: int = Field(1_209_600, gt=0, description="an unused session ends after, s")
    refresh_grace: int = Field(
        10,
        ge=0,
        le=60,
        description="how long after its exchange a refresh token may be repeated though its "
        "successor is in use, s",
    )
    limit_writes_per_session: Rates = rates_field(
        "60/minute;600/hour", "changes that one session asks for; those that end access are free"
    )
    limit_writes_per_user: Rates = rates_field(
        "120/minute;1200/hour", "changes that all sessions of one user ask for"
    )
    limit_refresh_per_session: Rates = rates_field(
        "100/minute;600/hour", "refresh tokens that one session exchanges"
    )
    limit_refresh_per_user: Rates = rates_field(
        "300/minute;3000/hour", "refresh tokens that all sessions of one user exchange"
    )
