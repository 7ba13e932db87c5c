"""Passkeys as an app uses them: each ceremony between auth_service and a software authenticator."""

from typing import Any

from tests.support.auth_client import Answer, AuthClient
from tests.support.authenticator import ask_for_factor
from tests.support.software_authenticator import SoftwareAuthenticator

ORIGIN = "http://localhost:8000"


def a_passkey(**changes: Any) -> SoftwareAuthenticator:
    """An authenticator, and the browser on the page that uses it."""
    return SoftwareAuthenticator(**({"origin": ORIGIN} | changes))


async def creation_options(auth: AuthClient, token: str | None, **body: Any) -> Answer:
    return await auth.call("POST", "/me/factors/passkeys/options", token=token, json=body)


async def send_new(
    auth: AuthClient,
    token: str | None,
    passkey: SoftwareAuthenticator,
    options: dict[str, Any],
    **body: Any,
) -> Answer:
    """Let the authenticator make the passkey, and send it."""
    credential = passkey.create(options["public_key"])
    body = {"challenge": options["challenge"], "credential": credential, **body}
    return await auth.call("POST", "/me/factors/passkeys", token=token, json=body)


async def add(
    auth: AuthClient, token: str, passkey: SoftwareAuthenticator, **body: Any
) -> dict[str, Any]:
    """Both steps: the stored factor. The session's next token has proven it."""
    options = await creation_options(auth, token)
    assert options.status == 200, options.body
    added = await send_new(auth, token, passkey, options.body, **body)
    assert added.status == 201, added.body
    factor: dict[str, Any] = added.body
    return factor


async def user_with_passkey(auth: AuthClient, number: str, **changes: Any) -> SoftwareAuthenticator:
    passkey = a_passkey(**changes)
    await add(auth, (await auth.sign_in(number))["access_token"], passkey)
    return passkey


def signed(
    passkey: SoftwareAuthenticator, options: dict[str, Any], **forged: Any
) -> dict[str, Any]:
    """What goes back to the service: the challenge, and the authenticator's response."""
    credential = passkey.get(options["public_key"], **forged)
    return {"challenge": options["challenge"], "credential": credential}


async def ask(auth: AuthClient, ticket: str, **more: Any) -> Answer:
    """The options of a sign-in that waits for its second factor."""
    return await auth.call("POST", "/mfa/passkey-options", json={"mfa_ticket": ticket, **more})


async def second_step(auth: AuthClient, ticket: str, response: dict[str, Any]) -> Answer:
    body = {"mfa_ticket": ticket, "method": "passkey", **response}
    return await auth.call("POST", "/mfa/verify", json=body)


async def sign_in_by_both(
    auth: AuthClient, number: str, passkey: SoftwareAuthenticator, **forged: Any
) -> Answer:
    """A code to the phone, then the passkey."""
    ticket = await ask_for_factor(auth, number)
    options = (await ask(auth, ticket)).body
    return await second_step(auth, ticket, signed(passkey, options, **forged))


async def login_options(auth: AuthClient) -> dict[str, Any]:
    answer = await auth.call("POST", "/passkeys/options")
    assert answer.status == 200, answer.body
    options: dict[str, Any] = answer.body
    return options


async def login(auth: AuthClient, response: dict[str, Any], **more: Any) -> Answer:
    return await auth.call("POST", "/passkeys/login", json={**response, **more})


async def sign_in_alone(auth: AuthClient, passkey: SoftwareAuthenticator, **forged: Any) -> Answer:
    """The passkey and nothing else."""
    return await login(auth, signed(passkey, await login_options(auth), **forged))


async def step_up_options(auth: AuthClient, token: str) -> dict[str, Any]:
    answer = await auth.call("POST", "/step-up", token=token)
    assert (answer.status, answer.code) == (403, "mfa_required"), answer.body
    options: dict[str, Any] = answer.body
    return options


async def step_up(auth: AuthClient, token: str, response: dict[str, Any]) -> Answer:
    return await auth.call("POST", "/step-up", token=token, json=response)
