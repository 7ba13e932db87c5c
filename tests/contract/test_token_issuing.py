"""Every route that issues access tokens is listed: a second factor has to guard each sign-in."""

import json

from auth_service.app import interface
from shared.openapi import Operation

SIGNING_IN = {
    "POST /signup",
    "POST /login",
    "POST /verify-otp",
    "POST /mfa/verify",
    "POST /passkeys/login",
}
CONTINUING = {"POST /refresh", "POST /step-up"}
"""Routes whose tokens belong to a session that exists."""

ENROLLING = {"POST /me/factors/totp/{id}/confirm", "POST /me/factors/passkeys"}
"""The last step of a sign-in whose user had to add a factor."""

OPERATIONS = interface(development=True).operations


def name(operation: Operation) -> str:
    return f"{operation.method} {operation.path}"


def issuing_routes() -> set[str]:
    """The routes that answer an access token, by what their answers declare."""
    return {
        name(operation)
        for operation in OPERATIONS
        for answer in operation.answers.values()
        if isinstance(answer, type) and '"access_token"' in json.dumps(answer.model_json_schema())
    }


def test_routes_that_answer_access_tokens_are_listed() -> None:
    assert issuing_routes() == SIGNING_IN | CONTINUING | ENROLLING


def test_routes_that_set_token_cookies_on_request_are_listed() -> None:
    taking_transport = {
        name(operation)
        for operation in OPERATIONS
        if operation.body is not None and "transport" in operation.body.model_fields
    }
    assert taking_transport == SIGNING_IN | {"POST /refresh"} | ENROLLING
