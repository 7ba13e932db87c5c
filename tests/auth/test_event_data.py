"""What events hold: no secret, no whole address unless the operator wants it, and for 30 days."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from auth_service.cli import main
from auth_service.commands import run_purge
from auth_service.event.repository import record_events_sql, user_rows_sql
from auth_service.settings import AuthSettings
from auth_service.wiring import Wiring
from shared.entropy import SystemEntropy
from shared.logs import mask
from shared.webhooks.model import MAX_BODY_BYTES
from tests.auth.test_audit_leaks import use_every_feature
from tests.support.account_events import new_events, recorded, text_of, types
from tests.support.accounts import PASSWORD, activate
from tests.support.auth_client import AuthClient
from tests.support.clock import MovableClock
from tests.support.database import Connection
from tests.support.publishing import all_events

NUMBER, EMAIL = "+919876543210", "asha.rao@example.com"


async def test_events_of_every_feature_hold_no_secret_and_no_whole_address(
    auth: AuthClient, auth_db: Connection
) -> None:
    secrets = await use_every_feature(auth)
    hashes = await auth_db.fetch("select password from users where password is not null")
    secrets += [row["password"] for row in hashes]
    events = await recorded(auth_db)
    assert {
        "user.created",
        "session.created",
        "session.revoked",
        "contact.changed",
        "password.changed",
        "user.deleted",
    } <= set(types(events))
    text = text_of(events)
    assert [secret for secret in secrets if secret and secret in text] == []
    assert "@" not in text


async def test_full_contacts_are_written_only_for_verified_addresses(
    serving_auth: Callable[..., Any], auth_db: Connection
) -> None:
    async with serving_auth(webhook_contacts="full") as auth:
        pair = await activate(auth, mobile=NUMBER, email=EMAIL, password=PASSWORD)
        created = (await recorded(auth_db))[0][1]
        assert (created["phone_number"], created["email"]) == (NUMBER, None)
        token = pair["access_token"]
        await auth.call("PATCH", "/me", token=token, json={"email": EMAIL})
        proof = {"email": EMAIL, "otp": await auth.code(EMAIL)}
        change = auth.call("POST", "/me/verify-contact", token=token, json=proof)
        [(_, changed)] = await new_events(auth_db, change)
        assert (changed["phone_number"], changed["email"]) == (NUMBER, EMAIL)


@pytest.mark.parametrize(
    "address", ["a@example.com", "ab@example.com", "अर्जुन@example.com", '"a@b"@example.com']
)
async def test_masked_address_is_masked_as_in_logs(auth_db: Connection, address: str) -> None:
    await auth_db.execute(
        "insert into users (id, name, email, email_verified, status, created_at)"
        " values (gen_random_uuid(), '', $1, true, 'active', now())",
        address,
    )
    named = {"webhook_event": "user.updated", "created_at": "2026-12-24T00:00:00Z"}
    statement = record_events_sql(user_rows_sql(1, "users"))
    await auth_db.execute(statement, json.dumps(named))
    [event] = await all_events(auth_db)
    assert event["data"]["email"] == mask(address)


async def test_event_of_the_longest_addresses_and_all_roles_fits_a_webhook(
    serving_auth: Callable[..., Any], auth_db: Connection
) -> None:
    async with serving_auth(webhook_contacts="full") as auth:
        pair = await auth.sign_in(NUMBER)
        await auth_db.execute(
            "update users set email = repeat('é', 254), email_verified = true,"
            " roles = '{admin,editor}'"
        )
        rename = auth.call("PATCH", "/me", token=pair["access_token"], json={"name": "Asha"})
        [(_, data)] = await new_events(auth_db, rename)
    assert data["email"] == "é" * 254
    assert len(json.dumps(data).encode()) < MAX_BODY_BYTES / 2


async def test_purge_leaves_no_event_of_a_deleted_user_after_30_days(
    auth: AuthClient,
    auth_db: Connection,
    auth_settings: Callable[..., AuthSettings],
    clock: MovableClock,
) -> None:
    pair = await auth.sign_in(NUMBER)
    assert (await auth.call("DELETE", "/me", token=pair["access_token"])).status == 204
    for days, left in ((29, ["user.created", "session.created", "user.deleted"]), (2, [])):
        clock.advance(days=days)
        wiring = Wiring(auth_settings(), clock=clock, entropy=SystemEntropy())
        assert await run_purge(wiring) == 0
        assert types(await recorded(auth_db)) == left


@pytest.mark.usefixtures("command_environment")
async def test_admin_command_writes_user_updated(auth: AuthClient, auth_db: Connection) -> None:
    await auth.sign_in(NUMBER)
    grant = asyncio.to_thread(main, ["admin", "grant", NUMBER, "editor"])
    [(event_type, data)] = await new_events(auth_db, grant)
    assert (event_type, data["roles"]) == ("user.updated", ["editor"])
