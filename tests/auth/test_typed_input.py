"""Input as people type it and clients send it: names, addresses, codes, empty bodies."""

import unicodedata
from codecs import BOM_UTF8
from typing import Any

import pytest

from tests.auth.test_admin import make_admin, search_names
from tests.support.accounts import PASSWORD, activate, post, register
from tests.support.auth_client import AuthClient
from tests.support.database import Connection
from tests.support.names import NAMES

NUMBER, EMAIL = "+919876543210", "asha@example.com"
TYPED_NUMBERS = [
    "(98765) 43210",
    "98765\N{NO-BREAK SPACE}43210 ",
    "\u202a+91 98765\N{NON-BREAKING HYPHEN}43210\u202c",
]
TYPED_MAILS = [
    f"{EMAIL}. ",
    f"{EMAIL} ",
    f"\t{EMAIL}\n",
    f"\N{ZERO WIDTH SPACE}{EMAIL}\N{NO-BREAK SPACE}",
]
NOTHING = [{}, *({"data": text} for text in (b"null", BOM_UTF8 + b"null", BOM_UTF8, b" ", b""))]


def spaced(code: str) -> str:
    return f" {code[:3]}\N{NO-BREAK SPACE}{code[3:]}\n"


async def test_profile_name_of_any_script_is_stored_unchanged(auth: AuthClient) -> None:
    pair = await auth.sign_in(NUMBER, NAMES[0])
    assert pair["user"]["name"] == NAMES[0]
    for name in NAMES:
        names = {
            "name": name,
            "first_name": f" {name}",
            "last_name": unicodedata.normalize("NFD", name),
        }
        changed = await auth.call("PATCH", "/me", token=pair["access_token"], json=names)
        assert changed.status == 200, changed.body
        me = (await auth.call("GET", "/me", token=pair["access_token"])).body
        assert [me[field] for field in names] == [name] * 3


async def test_registration_name_of_any_script_is_stored_unchanged(auth: AuthClient) -> None:
    pair = await activate(auth, mobile=NUMBER, first_name=NAMES[1], last_name=NAMES[2])
    assert (pair["user"]["first_name"], pair["user"]["last_name"]) == NAMES[1:3]


@pytest.mark.parametrize(
    "name", ["a\x1fb", "a\x85b", "a\u2028b", "\u202eb", "a\u2066b", "\u200c\u00a0\u200d"], ids=ascii
)
async def test_signup_name_invisible_or_reversing_is_422(auth: AuthClient, name: str) -> None:
    answer = await auth.request_code(NUMBER, name)
    assert answer.code == "validation_failed"
    assert [error["field"] for error in answer.body["errors"]] == ["name"]


async def test_admin_search_finds_names_with_joiners_and_typed_contacts(
    auth: AuthClient, auth_db: Connection
) -> None:
    admin = await make_admin(auth, auth_db)
    await auth.sign_in(NUMBER, NAMES[1])
    await auth_db.execute("update users set email = $1 where phone_number = $2", EMAIL, NUMBER)
    for q in (NAMES[1], f" {NAMES[1]} ", *TYPED_NUMBERS, *TYPED_MAILS):
        assert await search_names(auth, admin, q) == [NAMES[1]], ascii(q)
    for q in ("", " ", "\u00a0\u200b"):
        assert len(await search_names(auth, admin, q)) == 2, ascii(q)


@pytest.mark.parametrize("typed", TYPED_NUMBERS, ids=ascii)
async def test_typed_number_and_code_are_normalized_for_sign_in(
    auth: AuthClient, typed: str
) -> None:
    sent = await auth.request_code(typed)
    assert sent.status == 202, sent.body
    entered = await auth.enter_code(typed, spaced(await auth.code(NUMBER)), sent.body["challenge"])
    assert (entered.status, entered.body["user"]["phone_number"]) == (201, NUMBER)
    asked = await post(auth, "/login", mobile=typed)
    assert asked.status == 202
    entered = await post(auth, "/login", mobile=typed, otp=spaced(await auth.code(NUMBER, 2)))
    assert entered.status == 200, entered.body


@pytest.mark.parametrize("typed", TYPED_MAILS, ids=ascii)
async def test_typed_mail_address_is_normalized_for_registration_and_login(
    auth: AuthClient, typed: str
) -> None:
    registered = await post(auth, "/register", email=typed, username=" asha\n", password=PASSWORD)
    assert registered.status == 201, registered.body
    code = spaced(await auth.code(EMAIL))
    challenge = registered.body["challenge"]
    verified = await post(auth, "/verify-otp", email=typed, otp=code, challenge=challenge)
    assert verified.body["user"]["email"] == EMAIL
    assert verified.body["user"]["username"] == "asha"
    for name in ({"email": typed}, {"username": "asha "}):
        assert (await post(auth, "/login", **name, password=PASSWORD)).status == 200
        assert (await post(auth, "/forgot-password", **name)).status == 202
    proof = {"otp": spaced(await auth.code(EMAIL, 3)), "username": "\ufeffasha"}
    assert (await post(auth, "/verify-reset", **proof)).status == 200


async def test_typed_mail_address_is_normalized_for_contact_change(auth: AuthClient) -> None:
    token = (await auth.sign_in(NUMBER))["access_token"]
    sent = await auth.call("PATCH", "/me", token=token, json={"email": TYPED_MAILS[0]})
    assert sent.status == 202, sent.body
    proof = {"email": TYPED_MAILS[1], "otp": spaced(await auth.code(EMAIL))}
    stored = await auth.call("POST", "/me/verify-contact", token=token, json=proof)
    assert stored.body["email"] == EMAIL


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("Info@Bücher.de", "info@xn--bcher-kva.de"),
        ('"Asha..R."@DoCoMo.ne.jp', "asha..r.@docomo.ne.jp"),
    ],
)
async def test_mail_address_spelled_otherwise_names_one_account(
    auth: AuthClient, auth_db: Connection, typed: str, stored: str
) -> None:
    pair = await activate(auth, email=typed, first_name="Asha", password=PASSWORD)
    assert pair["user"]["email"] == stored
    for email in (typed, stored):
        assert (await post(auth, "/login", email=email, password=PASSWORD)).status == 200
    admin = await make_admin(auth, auth_db)
    assert await search_names(auth, admin, typed) == ["Asha"]


async def test_typed_number_is_normalized_for_resend(auth: AuthClient) -> None:
    await register(auth, mobile=NUMBER)
    assert (await post(auth, "/resend-otp", mobile=TYPED_NUMBERS[2])).status == 202


@pytest.mark.parametrize("code", ["\uff11\uff12\uff13\uff14\uff15\uff16", "१२३४५६", "12 34 5"])
async def test_code_in_other_digits_or_spacing_is_422(auth: AuthClient, code: str) -> None:
    assert (await auth.enter_code(NUMBER, code)).code == "validation_failed"


@pytest.mark.parametrize("path", ["/logout", "/logout-all", "/step-up"])
@pytest.mark.parametrize("body", NOTHING, ids=str)
async def test_optional_body_empty_or_null_is_accepted(
    auth: AuthClient, path: str, body: dict[str, Any]
) -> None:
    token = (await auth.sign_in(NUMBER))["access_token"]
    headers = {"Content-Type": "application/json"}
    answer = await auth.call("POST", path, token=token, headers=headers, **body)
    assert answer.status == (202 if path == "/step-up" else 204), answer.body


@pytest.mark.parametrize("body", NOTHING, ids=str)
async def test_refresh_with_empty_body_is_refresh_invalid(
    auth: AuthClient, body: dict[str, Any]
) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await auth.call("POST", "/refresh", headers=headers, **body)
    assert (answer.status, answer.code) == (401, "refresh_invalid")


async def test_empty_optional_members_are_absent(auth: AuthClient) -> None:
    blank = {"username": "", "last_name": "", "phone_number": ""}
    pair = await activate(auth, email=EMAIL, first_name="Asha", password=PASSWORD, **blank)
    assert (pair["user"]["username"], pair["user"]["last_name"]) == (None, None)
    entered = await post(auth, "/login", email=EMAIL, username="", otp="", password=PASSWORD)
    assert entered.status == 200, entered.body
    token = entered.body["access_token"]
    json = {"first_name": "", "last_name": "Rao", "username": ""}
    changed = await auth.call("PATCH", "/me", token=token, json=json)
    assert (changed.body["first_name"], changed.body["last_name"]) == (None, "Rao")
    assert (await auth.call("PATCH", "/me", token=token, json={"username": ""})).status == 422
    assert (await post(auth, "/verify-otp", email=EMAIL, otp="")).status == 422


async def test_empty_password_asks_for_no_code(auth: AuthClient) -> None:
    token = (await activate(auth, email=EMAIL, password=PASSWORD))["access_token"]
    phone = (await auth.sign_in(NUMBER))["access_token"]
    before = [len(await auth.codes(to)) for to in (EMAIL, NUMBER)]
    for names in ({"email": EMAIL}, {"mobile": NUMBER}, {"username": "asha"}):
        refused = await post(auth, "/login", **names, password="", otp="")
        assert refused.code == "validation_failed", refused.body
        assert [error["field"] for error in refused.body["errors"]] == ["password"], names
    for bearer in (token, phone):
        refused = await auth.call("POST", "/step-up", token=bearer, json={"password": ""})
        assert refused.code == "validation_failed", refused.body
        assert [error["field"] for error in refused.body["errors"]] == ["password"]
    assert [len(await auth.codes(to)) for to in (EMAIL, NUMBER)] == before
    sent = await post(auth, "/login", mobile=NUMBER, otp="", email="")
    assert sent.status in {202, 429}, sent.body


async def test_empty_new_password_is_refused_but_at_registration(auth: AuthClient) -> None:
    pair = await activate(auth, email=EMAIL, username="asha.rao", password="")
    bearer = {"token": pair["access_token"]}
    exported = await auth.call("GET", "/me/export", **bearer)
    assert (pair["user"]["username"], exported.body["has_password"]) == ("asha.rao", False)
    change = {"current_password": "", "new_password": ""}
    refused = await auth.call("POST", "/change-password", json=change, **bearer)
    assert [error["field"] for error in refused.body["errors"]] == list(change)
    for proof in ({"reset_ticket": "cht_x"}, {"email": EMAIL, "otp": "123456"}):
        refused = await post(auth, "/reset-password", **proof, new_password="")
        assert [error["field"] for error in refused.body["errors"]] == ["new_password"], proof
