"""One's own account: names, addresses and what a change of them does."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from tests.auth.test_admin import make_admin
from tests.support.auth_client import Answer, AuthClient, wrong
from tests.support.clock import MovableClock
from tests.support.database import Connection

NUMBER, OTHER, NEW = "+919876543210", "+919876543211", "+919876543299"
MAIL = "asha@example.com"


async def patch(auth: AuthClient, token: str, **body: Any) -> Answer:
    return await auth.call("PATCH", "/me", token=token, json=body)


async def verify(auth: AuthClient, token: str, **body: Any) -> Answer:
    return await auth.call("POST", "/me/verify-contact", token=token, json=body)


async def request_contact_code(auth: AuthClient, token: str, to: str = NEW) -> dict[str, str]:
    """What proves a new number."""
    before = len(await auth.codes(to))
    field = "email" if "@" in to else "mobile"
    sent = await patch(auth, token, **{field: to})
    assert sent.status == 202, sent.body
    code = await auth.code(to, before + 1)
    return {field: to, "otp": code, "challenge": sent.body["challenge"]}


async def test_profile_patched_names_are_stored_and_audited(
    auth: AuthClient, auth_db: Connection
) -> None:
    pair = await auth.sign_in(NUMBER, "Asha")
    token = pair["access_token"]
    changed = await patch(auth, token, name=" Asha Rao ", first_name="Asha", last_name="Rao")
    assert changed.status == 200
    names = {name: changed.body[name] for name in ("name", "first_name", "last_name")}
    assert names == {"name": "Asha Rao", "first_name": "Asha", "last_name": "Rao"}
    assert changed.body["version"] == pair["user"]["version"] + 1
    changed = await patch(auth, token, last_name=None, username="asha.rao")
    assert (changed.body["first_name"], changed.body["last_name"]) == ("Asha", None)
    assert changed.body["username"] == "asha.rao"
    me = await auth.call("GET", "/me", token=token)
    assert me.body == changed.body
    events = "select details from audit_events where event = 'profile.changed' order by id"
    details = [json.loads(row["details"]) for row in await auth_db.fetch(events)]
    assert details == [{"fields": "first_name last_name name"}, {"fields": "last_name username"}]


async def test_profile_taken_username_is_409_and_changes_nothing(auth: AuthClient) -> None:
    first, second = await auth.sign_in(NUMBER), await auth.sign_in(OTHER)
    assert (await patch(auth, first["access_token"], username="Asha")).status == 200
    refused = await patch(auth, second["access_token"], username="aSHA", name="Kept back")
    assert (refused.status, refused.code) == (409, "conflict")
    me = await auth.call("GET", "/me", token=second["access_token"])
    assert me.body["name"] == "Asha"


async def test_profile_invalid_field_is_422(auth: AuthClient) -> None:
    token = (await auth.sign_in(NUMBER))["access_token"]
    wrongs: list[dict[str, Any]] = [
        {},
        {"name": None},
        {"username": None},
        {"name": ""},
        {"name": "a\u0007b"},
        {"name": "x" * 101},
        {"username": "é"},
        {"mobile": NEW, "email": MAIL},
        {"mobile": NEW, "name": "Asha"},
        {"mobile": None},
        {"mobile": "12"},
        {"email": "a@x,b@y"},
        {"mobile": NUMBER},
        {"roles": ["admin"]},
        {"status": "active"},
    ]
    for body in wrongs:
        refused = await patch(auth, token, **body)
        assert (refused.status, refused.code) == (422, "validation_failed"), body


async def test_contact_new_number_proven_is_stored_and_notifies_old_number(
    auth: AuthClient, auth_db: Connection
) -> None:
    token = (await auth.sign_in(NUMBER))["access_token"]
    proof = await request_contact_code(auth, token)
    me = await auth.call("GET", "/me", token=token)
    assert me.body["phone_number"] == NUMBER
    refused = await verify(auth, token, **proof | {"otp": wrong(proof["otp"])})
    assert (refused.status, refused.code) == (401, "otp_invalid")
    moved = await verify(auth, token, **proof)
    assert (moved.status, moved.body["phone_number"]) == (200, NEW)
    assert moved.body["phone_verified"] is True
    assert (await verify(auth, token, **proof)).code == "otp_invalid"
    async with asyncio.timeout(5):
        while not (told := [item["text"] for item in await auth.inbox(NUMBER)][:1])[0].startswith(
            "The phone number"
        ):
            await asyncio.sleep(0.01)
    assert "...99" in told[0]
    assert NEW not in told[0]
    assert (await auth.sign_in(NEW))["user"]["id"] == moved.body["id"]
    assert (await auth.sign_in(NUMBER))["user"]["id"] != moved.body["id"]
    events = (
        "select event, outcome, details from audit_events where event like 'contact%' order by id"
    )
    rows = [tuple(row) for row in await auth_db.fetch(events)]
    assert [(event, outcome) for event, outcome, _ in rows] == [
        ("contact.change_asked", "success"),
        ("contact.changed", "failure"),
        ("contact.changed", "success"),
        ("contact.changed", "failure"),
    ]
    assert not [details for *_, details in rows if NEW[3:] in details or proof["otp"] in details]


async def test_contact_first_email_proven_notifies_phone(auth: AuthClient) -> None:
    token = (await auth.sign_in(NUMBER))["access_token"]
    proof = await request_contact_code(auth, token, "Asha@Example.com")
    moved = await verify(auth, token, **proof)
    assert (moved.body["email"], moved.body["email_verified"]) == (MAIL, True)
    async with asyncio.timeout(5):
        while not any("mail address" in item["text"] for item in await auth.inbox(NUMBER)):
            await asyncio.sleep(0.01)


async def test_contact_number_proven_by_two_users_at_once_goes_to_one(auth: AuthClient) -> None:
    for round_ in range(5):
        number = f"+9198765430{round_:02d}"
        people = [await auth.sign_in(f"+919876544{who}{round_:02d}") for who in range(2)]
        tokens = [pair["access_token"] for pair in people]
        proofs = [await request_contact_code(auth, token, number) for token in tokens]
        answers = await asyncio.gather(
            *(verify(auth, token, **proof) for token, proof in zip(tokens, proofs, strict=True))
        )
        assert min(answer.status for answer in answers) == 200
        [loser] = [answer for answer in answers if answer.status != 200]
        assert (loser.status, loser.code) in {(409, "conflict"), (401, "otp_invalid")}
        mine = [(await auth.call("GET", "/me", token=t)).body["phone_number"] for t in tokens]
        assert mine.count(number) == 1


async def test_contact_taken_number_is_409_only_after_proof(auth: AuthClient) -> None:
    await auth.sign_in(NEW)
    token = (await auth.sign_in(NUMBER))["access_token"]
    proof = await request_contact_code(auth, token)  # not told here
    for _ in range(2):  # the code stays good
        refused = await verify(auth, token, **proof)
        assert (refused.status, refused.code) == (409, "conflict")
    assert (await auth.call("GET", "/me", token=token)).body["phone_number"] == NUMBER


async def test_contact_code_of_other_user_or_purpose_is_otp_invalid(
    auth: AuthClient,
) -> None:
    mine = (await auth.sign_in(NUMBER))["access_token"]
    theirs = (await auth.sign_in(OTHER))["access_token"]
    proof = await request_contact_code(auth, theirs)
    assert (await verify(auth, mine, **proof)).code == "otp_invalid"
    await auth.request_code(NEW)
    code = await auth.code(NEW, 2)
    assert (await verify(auth, mine, mobile=NEW, otp=code)).code == "otp_invalid"


async def test_contact_changed_number_invalidates_outstanding_codes_of_both(
    auth: AuthClient,
) -> None:
    token = (await auth.sign_in(NUMBER))["access_token"]
    await auth.request_code(NUMBER)
    login = {"mobile": NUMBER}
    assert (await auth.call("POST", "/login", json=login)).status == 202
    assert (await auth.call("POST", "/step-up", token=token)).status == 202
    old = {(await auth.code(NUMBER, 4)), *(await auth.codes(NUMBER))[:3]}
    await auth.request_code(NEW)
    new = await auth.code(NEW)
    proof = await request_contact_code(auth, token)
    assert (await verify(auth, token, **proof)).status == 200
    for code in old:
        assert (await auth.enter_code(NUMBER, code)).code == "otp_invalid"
        answer = await auth.call("POST", "/login", json={**login, "otp": code})
        assert answer.code == "otp_invalid"
        assert (await auth.call("POST", "/step-up", token=token, json={"otp": code})).status == 401
    assert (await auth.enter_code(NEW, new)).code == "otp_invalid"
    assert (await auth.sign_in(NEW))["access_token"]  # what is sent later counts


async def test_contact_change_stale_proof_at_verification_requires_step_up(
    auth: AuthClient, clock: MovableClock
) -> None:
    token = (await auth.sign_in(NUMBER))["access_token"]
    clock.advance(minutes=3)
    proof = await request_contact_code(auth, token)
    clock.advance(minutes=3)
    refused = await verify(auth, token, **proof)
    assert (refused.status, refused.code) == (403, "step_up_required")
    before = len(await auth.codes(NUMBER))
    await auth.call("POST", "/step-up", token=token)
    body = {"otp": await auth.code(NUMBER, before + 1)}
    fresh = (await auth.call("POST", "/step-up", token=token, json=body)).body["access_token"]
    assert (await verify(auth, fresh, **proof)).status == 200


async def test_export_of_own_account_holds_all_data_and_no_secret(auth: AuthClient) -> None:
    other = await auth.sign_in(OTHER)
    pair = await auth.sign_in(NUMBER, headers={"User-Agent": "Phone/1"})
    ended = await auth.sign_in(NUMBER)
    await auth.call("POST", "/logout", token=ended["access_token"])
    answer = await auth.call("GET", "/me/export", token=pair["access_token"])
    assert answer.status == 200
    export = answer.body
    assert export["user"]["phone_number"] == NUMBER
    assert export["has_password"] is False
    assert next(one["user_agent"] for one in export["sessions"]) == "Phone/1"
    assert [bool(one["revoked_at"]) for one in export["sessions"]] == [False, True]
    assert [one["scope"] for one in export["tokens"]] == ["refresh", "refresh"]
    assert [event["event"] for event in export["events"]] == [
        "user.signed_up",
        "user.signed_in",
        "user.signed_out",
        "user.exported",
    ]
    text = json.dumps(export)
    for secret in (other["user"]["id"], pair["refresh_token"], pair["access_token"], "hash"):
        assert secret not in text


async def test_export_event_by_administrator_hides_their_identity(
    serving_auth: Callable[..., Any], auth_db: Connection
) -> None:
    async with serving_auth(trusted_proxies="127.0.0.1") as auth:
        admin = await make_admin(auth, auth_db)
        path = f"/admin/users/{(await auth.sign_in(NUMBER))['user']['id']}/roles"
        headers = {
            "X-Forwarded-For": "198.51.100.7",
            "User-Agent": "Desk/9",
            "X-Request-ID": "asked-at-the-desk",
        }
        body = {"roles": ["editor"]}
        await auth.call("PUT", path, token=admin, json=body, headers=headers)
        token = (await auth.sign_in(NUMBER))["access_token"]
        export = (await auth.call("GET", "/me/export", token=token)).body
        whole = (await auth.call("GET", "/admin/audit", token=admin)).body
    [told] = [event for event in export["events"] if event["event"] == "roles.changed"]
    assert told["details"] == {"roles": "editor", "by": "an administrator"}
    administrator = await auth_db.fetchval("select id::text from users where 'admin' = any(roles)")
    for theirs in ("198.51.100.7", "Desk/9", "asked-at-the-desk", administrator):
        assert theirs not in json.dumps(export)
        assert theirs in json.dumps(whole)


async def test_head_of_an_export_has_no_body(auth: AuthClient) -> None:
    token = (await auth.sign_in(NUMBER))["access_token"]
    head = await auth.call("HEAD", "/me/export", token=token)
    assert (head.status, head.body) == (200, b"")
    assert (await auth.call("GET", "/me", token=token)).status == 200


async def test_contact_two_users_swapping_numbers_at_once_do_not_deadlock(auth: AuthClient) -> None:
    for round_ in range(5):
        numbers = [f"+919876545{who}{round_:02d}" for who in range(2)]
        tokens = [(await auth.sign_in(number))["access_token"] for number in numbers]
        proofs = [
            await request_contact_code(auth, tokens[who], numbers[1 - who]) for who in range(2)
        ]
        answers = await asyncio.gather(
            *(verify(auth, token, **proof) for token, proof in zip(tokens, proofs, strict=True))
        )
        assert {answer.status for answer in answers} <= {200, 401, 409}
        mine = [(await auth.call("GET", "/me", token=t)).body["phone_number"] for t in tokens]
        assert sorted(mine) == sorted(set(mine))
