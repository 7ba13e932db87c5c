"""Passkeys of a real browser and auth_service: added, then used alone and as second factor."""

from typing import Any

from playwright.async_api import Page

from tests.browser.conftest import open_page
from tests.browser.test_passkeys import CREATE, GET, PLATFORM
from tests.support.auth_client import AuthClient
from tests.support.authenticator import ask_for_factor
from tests.support.passkey_client import (
    ORIGIN,
    ask,
    creation_options,
    login,
    login_options,
    second_step,
)
from tests.support.tokens import unverified_claims

NUMBER = "+919876543210"
FIELD = '<input autofocus autocomplete="username webauthn">'
AUTOFILL = """async options => (await navigator.credentials.get({mediation: "conditional",
    publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options)})).toJSON()"""


async def respond(page: Page, script: str, options: dict[str, Any]) -> dict[str, Any]:
    """What the page sends back to the service."""
    credential = await page.evaluate(script, options["public_key"])
    return {"challenge": options["challenge"], "credential": credential}


async def test_browser_adds_a_passkey_and_signs_in_by_autofill_and_second_step(
    passkey_auth: AuthClient,
) -> None:
    auth = passkey_auth
    token = (await auth.sign_in(NUMBER))["access_token"]
    async with open_page(ORIGIN) as page:
        await page.route("**/*", lambda one: one.fulfill(content_type="text/html", body=FIELD))
        await page.goto("/")
        tools = await page.context.new_cdp_session(page)
        await tools.send("WebAuthn.enable")
        always = {"hasResidentKey": True, "automaticPresenceSimulation": True}
        await tools.send("WebAuthn.addVirtualAuthenticator", {"options": PLATFORM | always})
        response = await respond(page, CREATE, (await creation_options(auth, token)).body)
        added = await auth.call("POST", "/me/factors/passkeys", token=token, json=response)
        assert added.status == 201, added.body
        assert added.body["backed_up"]
        done = await login(auth, await respond(page, AUTOFILL, await login_options(auth)))
        assert unverified_claims(done.body["access_token"])["amr"] == ["swk", "user", "mfa"]
        ticket = await ask_for_factor(auth, NUMBER)
        response = await respond(page, GET, (await ask(auth, ticket)).body)
        assert (await second_step(auth, ticket, response)).status == 200
