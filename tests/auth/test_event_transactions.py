"""A change and its event are stored together, or neither is."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.support.account_events import recorded, types
from tests.support.accounts import PASSWORD, activate, next_code, post, register
from tests.support.auth_client import Answer, AuthClient
from tests.support.authenticator import begin, confirm
from tests.support.clock import MovableClock
from tests.support.database import Connection, locked_table

NUMBER, OTHER, EMAIL, NEW = "+919876543210", "+919876543211", "asha@example.com", "a new phrase"
STATE = """
select (select json_agg(u order by u.id) from users u)::text,
       (select json_agg(s order by s.id) from sessions s)::text,
       (select json_agg(f order by f.id) from factors f)::text,
       (select count(*) from audit_events where outcome = 'success'),
       (select count(*) from revocations), (select count(*) from events)"""
Act = Callable[[], Awaitable[Answer]]


class Acts:
    """One act of each kind, prepared up to the request that does it."""

    def __init__(self, auth: AuthClient, db: Connection, clock: MovableClock) -> None:
        self.auth, self.db, self.clock = auth, db, clock

    async def sign_up(self) -> Act:
        sent = await self.auth.request_code(NUMBER)
        code = await self.auth.code(NUMBER)
        return lambda: self.auth.enter_code(NUMBER, code, sent.body["challenge"])

    async def activation(self) -> Act:
        registered, code = await register(self.auth, email=EMAIL, password=PASSWORD)
        handle = registered.body["challenge"]
        return lambda: post(self.auth, "/verify-otp", email=EMAIL, otp=code, challenge=handle)

    async def sign_in(self) -> Act:
        await activate(self.auth, email=EMAIL, password=PASSWORD)
        return lambda: post(self.auth, "/login", email=EMAIL, password=PASSWORD)

    async def profile(self) -> Act:
        return await self._signed_in("PATCH", "/me", json={"name": "Meera"})

    async def contact(self) -> Act:
        token = (await self.auth.sign_in(NUMBER))["access_token"]
        await self.auth.call("PATCH", "/me", token=token, json={"email": EMAIL})
        proof = {"email": EMAIL, "otp": await self.auth.code(EMAIL)}
        return lambda: self.auth.call("POST", "/me/verify-contact", token=token, json=proof)

    async def password_change(self) -> Act:
        pair = await activate(self.auth, email=EMAIL, password=PASSWORD)
        await post(self.auth, "/login", email=EMAIL, password=PASSWORD)
        body = {"current_password": PASSWORD, "new_password": NEW}
        token = pair["access_token"]
        return lambda: self.auth.call("POST", "/change-password", token=token, json=body)

    async def password_reset(self) -> Act:
        await activate(self.auth, email=EMAIL, password=PASSWORD)
        _, code = await next_code(self.auth, EMAIL, "/forgot-password", email=EMAIL)
        body = {"email": EMAIL, "otp": code, "new_password": NEW}
        return lambda: post(self.auth, "/reset-password", **body)

    async def logout(self) -> Act:
        return await self._signed_in("POST", "/logout")

    async def logout_all(self) -> Act:
        return await self._signed_in("POST", "/logout-all")

    async def deletion(self) -> Act:
        return await self._signed_in("DELETE", "/me")

    async def factor(self) -> Act:
        token = (await self.auth.sign_in(NUMBER))["access_token"]
        app = await begin(self.auth, self.clock, token)
        return lambda: confirm(self.auth, token, app, app.code())

    async def disabling(self) -> Act:
        return await self._administered("POST", "disable")

    async def roles(self) -> Act:
        return await self._administered("PUT", "roles", json={"roles": ["editor"]})

    async def _signed_in(self, method: str, path: str, **options: Any) -> Act:
        token = (await self.auth.sign_in(NUMBER))["access_token"]
        return lambda: self.auth.call(method, path, token=token, **options)

    async def _administered(self, method: str, act: str, **options: Any) -> Act:
        user_id = (await self.auth.sign_in(NUMBER))["user"]["id"]
        admin = (await self.auth.sign_in(OTHER))["user"]["id"]
        await self.db.execute("update users set roles = '{admin}' where id::text = $1", admin)
        token = (await self.auth.sign_in(OTHER))["access_token"]
        path = f"/admin/users/{user_id}/{act}"
        return lambda: self.auth.call(method, path, token=token, **options)


EVENTS = {
    "sign_up": ["user.created", "session.created"],
    "activation": ["user.created", "session.created"],
    "sign_in": ["session.created"],
    "profile": ["user.updated"],
    "contact": ["contact.changed"],
    "password_change": ["password.changed", "session.revoked"],
    "password_reset": ["password.changed", "session.revoked"],
    "logout": ["session.revoked"],
    "logout_all": ["session.revoked"],
    "deletion": ["user.deleted"],
    "factor": ["factor.added"],
    "disabling": ["user.updated", "session.revoked"],
    "roles": ["user.updated"],
}


@pytest.mark.parametrize("name", EVENTS)
async def test_change_whose_event_cannot_be_stored_changes_nothing(
    auth: AuthClient, auth_db: Connection, clock: MovableClock, name: str
) -> None:
    act = await getattr(Acts(auth, auth_db, clock), name)()
    before, events = await auth_db.fetchrow(STATE), await recorded(auth_db)
    async with locked_table(auth_db, "events"):
        refused = await act()
    assert (refused.status, refused.code) == (503, "service_unavailable")
    assert await auth_db.fetchrow(STATE) == before
    done = await act()
    assert done.status < 300, done.body
    assert types((await recorded(auth_db))[len(events) :]) == EVENTS[name]


@pytest.mark.parametrize("name", EVENTS)
async def test_change_that_cannot_be_stored_writes_no_event(
    auth: AuthClient, auth_db: Connection, clock: MovableClock, name: str
) -> None:
    act = await getattr(Acts(auth, auth_db, clock), name)()
    events = await recorded(auth_db)
    async with locked_table(auth_db, "audit_events"):
        assert (await act()).status == 503
    assert await recorded(auth_db) == events
