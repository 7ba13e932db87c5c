"""A phone number has two names, `mobile` and `phone_number`; every body takes either."""

import pytest

from tests.support.accounts import next_code
from tests.support.auth_client import AuthClient

NUMBER, OTHER = "+919876543210", "+919876543211"
NAMES = ["mobile", "phone_number"]
BODIES: dict[str, dict[str, str]] = {
    "/signup": {"name": "Asha"},
    "/register": {},
    "/verify-otp": {"otp": "123456"},
    "/resend-otp": {},
    "/login": {},
    "/forgot-password": {},
    "/verify-reset": {"otp": "123456"},
    "/reset-password": {"otp": "123456", "new_password": "correct horse battery"},
}


@pytest.mark.parametrize("name", NAMES)
async def test_number_by_either_name_signs_up_and_in(auth: AuthClient, name: str) -> None:
    number = {name: NUMBER}
    _, code = await next_code(auth, NUMBER, "/signup", name="Asha", **number)
    assert (await auth.call("POST", "/signup", json={**number, "otp": code})).status == 201
    _, code = await next_code(auth, NUMBER, "/login", **number)
    assert (await auth.call("POST", "/login", json={**number, "otp": code})).status == 200
    other = {name: OTHER}
    assert (await auth.call("POST", "/register", json=other)).status == 201
    proof = {**other, "otp": await auth.code(OTHER)}
    assert (await auth.call("POST", "/verify-otp", json=proof)).status == 200


@pytest.mark.parametrize("path", BODIES)
async def test_wrong_number_is_named_as_it_was_sent(auth: AuthClient, path: str) -> None:
    for name in NAMES:
        refused = await auth.call("POST", path, json={name: "12", **BODIES[path]})
        assert refused.status == 422, path
        assert [error["field"] for error in refused.body["errors"]] == [name]


@pytest.mark.parametrize("path", BODIES)
async def test_number_by_both_names_is_refused(auth: AuthClient, path: str) -> None:
    both = {"mobile": NUMBER, "phone_number": NUMBER}
    refused = await auth.call("POST", path, json={**both, **BODIES[path]})
    assert refused.status == 422
    [error] = refused.body["errors"]
    assert error["message"] == "send either mobile or phone_number, which mean the same"


async def test_signup_without_number_says_what_to_send(auth: AuthClient) -> None:
    refused = await auth.call("POST", "/signup", json={"name": "Asha"})
    assert [error["message"] for error in refused.body["errors"]] == ["send phone_number"]


@pytest.mark.parametrize("name", NAMES)
async def test_new_contact_by_either_name_is_stored(auth: AuthClient, name: str) -> None:
    token = (await auth.sign_in(NUMBER))["access_token"]
    number = {name: OTHER}
    assert (await auth.call("PATCH", "/me", token=token, json=number)).status == 202
    proof = {**number, "otp": await auth.code(OTHER)}
    done = await auth.call("POST", "/me/verify-contact", token=token, json=proof)
    assert (done.status, done.body["phone_number"]) == (200, OTHER)
