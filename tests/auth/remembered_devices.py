"""Sign-ins on remembered devices."""

from typing import Any
from uuid import UUID

from tests.support.auth_client import AuthClient
from tests.support.authenticator import (
    Authenticator,
    ask_for_factor,
    first_step,
    verify,
)
from tests.support.database import Connection

NUMBER, OTHER, EMAIL = "+919876543210", "+919876543211", "asha@example.com"


async def remembered(auth: AuthClient, app: Authenticator) -> dict[str, Any]:
    """The token pair of a sign-in that asked to be remembered."""
    ticket = await ask_for_factor(auth, NUMBER)
    done = await verify(auth, ticket, app.next_code(), remember_device=True)
    assert done.status == 200, done.body
    pair: dict[str, Any] = done.body
    return pair


async def code_of(auth: AuthClient, device: str) -> str:
    """The error code of the first step of a sign-in on the device; "" for tokens."""
    answer = await first_step(auth, NUMBER, device=device)
    return "" if answer.status == 200 else answer.code


async def administrator(auth: AuthClient, db: Connection) -> str:
    user_id = UUID((await auth.sign_in(OTHER))["user"]["id"])
    await db.execute("update users set roles = '{admin}' where id = $1", user_id)
    return str((await auth.sign_in(OTHER))["access_token"])


async def devices(auth: AuthClient, token: str) -> list[dict[str, Any]]:
    listed = await auth.call("GET", "/me/factors", token=token)
    found: list[dict[str, Any]] = listed.body["remembered_devices"]
    return found
