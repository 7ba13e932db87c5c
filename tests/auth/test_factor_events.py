"""Each change of a second factor writes its event; what proves it is in none."""

from tests.auth.test_events import NUMBER, make_admin, succeed
from tests.auth.test_mfa_enrolment import confirm as confirm_by_ticket
from tests.auth.test_mfa_enrolment import make_editor, pending, strict, ticket_by_code
from tests.support.account_events import new_events, recorded, text_of, types
from tests.support.auth_client import AuthClient
from tests.support.authenticator import ask_for_factor, begin, confirm, enrol, refresh, verify
from tests.support.clock import MovableClock
from tests.support.database import Connection
from tests.support.passkey_client import a_passkey, add

__all__ = ["strict"]


async def test_factor_changes_write_factor_added_and_removed_with_the_kind(
    auth: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    pair = await auth.sign_in(NUMBER)
    token = pair["access_token"]
    assert await new_events(auth_db, begin(auth, clock, token)) == []
    app = await begin(auth, clock, token)
    data = {"id": app.id, "user_id": pair["user"]["id"], "kind": "totp"}
    added = await new_events(auth_db, confirm(auth, token, app, app.code()))
    assert added == [("factor.added", data)]
    token = (await refresh(auth, pair))["access_token"]
    removal = succeed(auth, "DELETE", f"/me/factors/{app.id}", token)
    assert await new_events(auth_db, removal) == [("factor.removed", data)]


async def test_factor_reset_writes_factor_removed_for_each_confirmed_factor(
    auth: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    admin = await make_admin(auth, auth_db)
    pair = await auth.sign_in(NUMBER)
    app = await enrol(auth, clock, pair["access_token"])
    await auth_db.execute(
        "insert into factors (id, user_id, kind, name, secret, created_at)"
        " select gen_random_uuid(), user_id, kind, name, secret, created_at from factors"
    )
    path = f"/admin/users/{pair['user']['id']}/reset-factors"
    events = await new_events(auth_db, succeed(auth, "POST", path, admin, json={"reason": "lost"}))
    assert [(one, data["id"]) for one, data in events] == [("factor.removed", app.id)]


async def test_passkey_added_and_removed_writes_its_events(
    passkey_auth: AuthClient, auth_db: Connection
) -> None:
    pair = await passkey_auth.sign_in(NUMBER)
    events = await new_events(auth_db, add(passkey_auth, pair["access_token"], a_passkey()))
    factor_id = str(await auth_db.fetchval("select id from factors"))
    data = {"id": factor_id, "user_id": pair["user"]["id"], "kind": "passkey"}
    assert events == [("factor.added", data)]
    token = (await refresh(passkey_auth, pair))["access_token"]
    removal = succeed(passkey_auth, "DELETE", f"/me/factors/{factor_id}", token)
    assert await new_events(auth_db, removal) == [("factor.removed", data)]


async def test_enrolment_by_ticket_writes_factor_added_then_session_created(
    strict: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    await make_editor(strict, auth_db)
    ticket = await ticket_by_code(strict)
    app = await pending(strict, clock, ticket)
    events = await new_events(auth_db, confirm_by_ticket(strict, ticket, app.id, app.code()))
    assert types(events) == ["factor.added", "session.created"]
    assert events[1][1]["amr"] == ["otp", "sms", "mfa"]


async def test_sign_in_by_a_second_factor_writes_session_created_once_it_is_proven(
    auth: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    app = await enrol(auth, clock, (await auth.sign_in(NUMBER))["access_token"])
    before = await recorded(auth_db)
    ticket = await ask_for_factor(auth, NUMBER)
    assert (await verify(auth, ticket, app.wrong())).status == 401
    assert await recorded(auth_db) == before
    events = await new_events(auth_db, verify(auth, ticket, app.next_code()))
    assert types(events) == ["session.created"]


async def test_events_of_a_user_with_a_factor_hold_none_of_its_secrets(
    auth: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    pair = await auth.sign_in(NUMBER)
    app = await begin(auth, clock, pair["access_token"])
    code = app.code()
    confirmed = await confirm(auth, pair["access_token"], app, code)
    ticket, later = await ask_for_factor(auth, NUMBER), app.next_code()
    signed_in = (await verify(auth, ticket, later)).body
    token = (await refresh(auth, signed_in))["access_token"]
    await succeed(auth, "DELETE", "/me", token)
    secrets = [app.secret, code, later, ticket, token, NUMBER[3:]]
    secrets += [*confirmed.body["recovery_codes"], signed_in["refresh_token"]]
    text = text_of(await recorded(auth_db))
    assert [secret for secret in secrets if secret in text] == []
