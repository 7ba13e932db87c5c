"""Bodies and answers of sessions."""

from dataclasses import asdict
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, IPvAnyAddress

from auth_service.device.schemas import DeviceBody
from auth_service.session.model import Session
from auth_service.user.schemas import UserResponse
from shared.paging import Page

MAX_TOKEN = 200
IN_COOKIES = frozenset({"access_token", "refresh_token", "device"})
CSRF = frozenset({"csrf"})
Transport = Literal["body", "cookie"]
"""How tokens reach the client: in the answer's body, or as cookies that scripts cannot read."""


def _tokens_are_optional(schema: dict[str, Any]) -> None:
    schema["required"] = [name for name in schema["required"] if name not in IN_COOKIES]


class TokenIssuing(BaseModel):
    """Base of every body that may be answered with tokens."""

    model_config = ConfigDict(extra="forbid", strict=True)

    transport: Transport = Field("body", description="`cookie`: for browsers, as four cookies")


class SignInBody(TokenIssuing, DeviceBody):
    """Base of every body that may begin a session."""


class TokenPair(BaseModel):
    """A signed-in user's tokens. `expires_in`, `refresh_expires_in`: seconds; `login_at`: Unix.

    With `"transport": "cookie"` the tokens are in cookies alone. A page on another host than ours
    cannot read those, so the answer repeats the CSRF token.
    """

    model_config = ConfigDict(json_schema_extra=_tokens_are_optional)

    access_token: str = Field(description="absent with `transport: cookie`")
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - RFC 6750 §4
    expires_in: int
    refresh_token: str = Field(description="absent with `transport: cookie`")
    refresh_expires_in: int
    user: UserResponse
    login_at: int
    csrf: str | None = Field(
        None, description="for `X-CSRF-Token`; absent without `transport: cookie`"
    )
    device: str = Field(
        description="keep the newest, and send it when this device asks for a code or signs in: "
        "it has limits of its own then; absent with `transport: cookie`"
    )


class Activation(TokenPair):
    """The tokens of an account that has just been activated."""

    message: str


class RefreshBody(TokenIssuing):
    """The refresh token to exchange; a browser's is in its cookie."""

    refresh_token: str | None = Field(None, max_length=MAX_TOKEN)


class LogoutBody(BaseModel):
    """The refresh token of the session, for a client whose access token may have expired."""

    model_config = ConfigDict(extra="forbid", strict=True)

    refresh_token: str | None = Field(None, max_length=MAX_TOKEN)


class LogoutAllBody(BaseModel):
    """The sessions to revoke: all, or all but the caller's."""

    model_config = ConfigDict(extra="forbid", strict=True)

    except_current: bool = False


class SessionResponse(BaseModel):
    """One signed-in device; `current` is the caller's."""

    id: UUID
    user_agent: str | None
    ip: IPvAnyAddress
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    amr: tuple[str, ...]
    current: bool

    @classmethod
    def of(cls, current_id: UUID, session: Session) -> "SessionResponse":
        """Return the answer for a session, to a caller in the session `current_id`."""
        return cls.model_validate({**asdict(session), "current": session.id == current_id})


class SessionPage(Page[SessionResponse]):
    """A page of sessions, the newest first; `next_cursor` is null on the last one."""
