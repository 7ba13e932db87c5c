"""What events tell of everything that somebody can do: no code, no token, no whole address."""

import re
from typing import Any

from tests.support.accounts import PASSWORD, activate, next_code, post
from tests.support.auth_client import AuthClient, wrong
from tests.support.browser import sign_in
from tests.support.database import Connection

MOBILE, NEW, EMAIL = "+919876543210", "+919876543299", "asha.rao@example.com"
OTHER = "a brand new phrase"


async def use_every_feature(auth: AuthClient) -> list[str]:
    """Do a little of everything; return what must not be told."""
    secrets: list[str] = [PASSWORD, OTHER, MOBILE, NEW, EMAIL, MOBILE[3:], NEW[3:]]
    pair = await activate(auth, email=EMAIL, username="asha", password=PASSWORD)
    await post(auth, "/login", email=EMAIL, password="not the right one")
    sent, code = await next_code(auth, EMAIL, "/login", email=EMAIL)
    await post(auth, "/login", email=EMAIL, otp=wrong(code))
    again = await post(auth, "/login", email=EMAIL, otp=code, challenge=sent.body["challenge"])
    token = again.body["access_token"]
    secrets += [code, sent.body["challenge"], token, again.body["refresh_token"]]
    changed = await auth.call("PATCH", "/me", token=token, json={"mobile": MOBILE})
    proof = {"mobile": MOBILE, "otp": await auth.code(MOBILE)}
    await auth.call("POST", "/me/verify-contact", token=token, json=proof)
    secrets += [proof["otp"], changed.body["challenge"]]
    await auth.call("POST", "/step-up", token=token)
    step = {"otp": await auth.code(MOBILE, 2)}
    fresh = await auth.call("POST", "/step-up", token=token, json=step)
    secrets += [step["otp"], fresh.body["access_token"]]
    _, reset = await next_code(auth, EMAIL, "/forgot-password", email=EMAIL)
    await post(auth, "/reset-password", email=EMAIL, otp=reset, new_password=OTHER)
    browser = await sign_in(auth, NEW)
    await browser.call("POST", "/v1/auth/refresh")
    await browser.call("DELETE", "/v1/auth/me")
    used = {"refresh_token": pair["refresh_token"]}
    await auth.call("POST", "/refresh", json=used)
    return [*secrets, reset, pair["access_token"], *used.values(), *browser.jar.values()]


async def test_audit_events_hold_no_secret(auth: AuthClient, auth_db: Connection) -> None:
    secrets = await use_every_feature(auth)
    rows: list[Any] = await auth_db.fetch("select * from audit_events order by id")
    told = {(row["event"], row["outcome"]) for row in rows}
    assert {
        ("user.registered", "success"),
        ("user.activated", "success"),
        ("user.signed_in", "success"),
        ("user.signed_in", "failure"),
        ("user.signed_up", "success"),
        ("user.stepped_up", "success"),
        ("user.deleted", "success"),
        ("contact.change_asked", "success"),
        ("contact.changed", "success"),
        ("password.reset_asked", "success"),
        ("password.reset", "success"),
    } <= told
    # ids and times have digits of their own
    text = "\n".join(f"{row['event']} {row['user_agent']} {row['details']}" for row in rows)
    assert [secret for secret in secrets if secret and secret in text] == []
    assert not re.search(r"\d{5}|@|ch[rt]_|eyJ", text)
