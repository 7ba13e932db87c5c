"""What only a freshly proven user may do: every route that documents it refuses a stale proof."""

from typing import Any

import pytest

from auth_service.app import interface
from auth_service.session.errors import StepUpRequired
from tests.support.auth_client import AuthClient
from tests.support.clock import MovableClock
from tests.support.database import Connection

NUMBER, NEW = "+919876543210", "+919876543299"
FACTOR = "01980000-0000-7000-8000-000000000001"
BODIES: dict[str, list[dict[str, Any] | None]] = {
    "PATCH /me": [{"username": "asha"}, {"mobile": NEW}, {"email": "asha@example.com"}],
    "POST /me/verify-contact": [{"mobile": NEW, "otp": "000000"}],
    "DELETE /me": [None],
    "GET /me/export": [None],
    "POST /me/factors/totp": [None],
    f"POST /me/factors/totp/{FACTOR}/confirm": [{"otp": "000000"}],
    "POST /me/factors/passkeys/options": [None],
    "POST /me/factors/passkeys": [{"challenge": "x", "credential": {}}],
    f"DELETE /me/factors/{FACTOR}": [None],
    "POST /me/recovery-codes": [None],
    f"PUT /admin/users/{FACTOR}/roles": [{"roles": ["admin"]}],
    f"POST /admin/users/{FACTOR}/reset-factors": [{"reason": "lost"}],
    "POST /admin/webhooks": [{"url": "https://receiver.example/", "events": ["*"]}],
    f"PATCH /admin/webhooks/{FACTOR}": [{"description": "CRM"}],
    f"POST /admin/webhooks/{FACTOR}/rotate-secret": [None],
}
"""What each such route is asked that needs the proof."""
CASES = [(name, body) for name, bodies in BODIES.items() for body in bodies]


def test_step_up_routes_are_all_tried() -> None:
    operations = interface(development=True).operations
    needing = {f"{one.method} {one.path}" for one in operations if StepUpRequired in one.errors}
    assert needing == {route.replace(FACTOR, "{id}") for route in BODIES}


@pytest.mark.parametrize(("route", "body"), CASES)
async def test_step_up_routes_stale_proof_is_refused_and_changes_nothing(
    auth: AuthClient,
    auth_db: Connection,
    clock: MovableClock,
    route: str,
    body: dict[str, Any] | None,
) -> None:
    await auth.sign_in(NUMBER)
    await auth_db.execute("update users set roles = '{admin}'")
    token = (await auth.sign_in(NUMBER))["access_token"]
    clock.advance(minutes=5, seconds=1)
    before = await auth_db.fetchrow("select * from users")
    method, path = route.split()
    refused = await auth.call(method, path, token=token, json=body)
    assert (refused.status, refused.code) == (403, "step_up_required")
    assert await auth_db.fetchrow("select * from users") == before
    assert await auth.codes(NEW) == []


@pytest.mark.parametrize("body", [{"name": "A"}, {"first_name": "A"}, {"last_name": None}])
async def test_profile_harmless_change_needs_no_recent_proof(
    auth: AuthClient, clock: MovableClock, body: dict[str, Any]
) -> None:
    token = (await auth.sign_in(NUMBER))["access_token"]
    clock.advance(minutes=9)
    assert (await auth.call("PATCH", "/me", token=token, json=body)).status == 200
