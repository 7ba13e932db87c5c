"""The user as answers show it."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict


class UserAnswer(BaseModel):
    """A user; null stands for what is not set."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    username: str | None
    name: str
    first_name: str | None
    last_name: str | None
    email: str | None
    email_verified: bool
    phone_number: str | None
    phone_verified: bool
    roles: tuple[str, ...]
    status: Literal["pending", "active", "disabled"]
    last_login_at: datetime | None
    created_at: datetime
    version: int
