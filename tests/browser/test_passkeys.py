"""Passkeys of a real browser: Chromium with an authenticator of its developer tools."""

import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from playwright.async_api import Error, Page

from auth_service.passkey.errors import CredentialInvalid, SignCountNotIncreased
from auth_service.passkey.model import AuthenticatorState, Passkey
from auth_service.passkey.relying_party import RelyingParty
from tests.browser.conftest import open_page
from tests.support.passkeys import USER_ID, a_user, verify

ORIGIN, EVIL = "http://localhost:8000", "http://evil.localhost:8000"
FRAME = f'<iframe src="{ORIGIN}" allow="publickey-credentials-get *">'
CREATE = """async options => (await navigator.credentials.create({
    publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options)})).toJSON()"""
GET = """async options => (await navigator.credentials.get({
    publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options)})).toJSON()"""
SECURITY_KEY = {
    "protocol": "ctap2",
    "transport": "usb",
    "hasUserVerification": True,
    "isUserVerified": True,
}
PLATFORM = {
    "protocol": "ctap2",
    "ctap2Version": "ctap2_1",
    "transport": "internal",
    "hasUserVerification": True,
    "isUserVerified": True,
    "defaultBackupEligibility": True,
    "defaultBackupState": True,
}


async def add_authenticator(page: Page, options: dict[str, Any]) -> None:
    tools = await page.context.new_cdp_session(page)
    await tools.send("WebAuthn.enable")
    always = {"hasResidentKey": True, "automaticPresenceSimulation": True}
    await tools.send("WebAuthn.addVirtualAuthenticator", {"options": always | options})


class Shop:
    """A relying party, the page that asks for its passkeys, and the stored one."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.frame = page.main_frame
        self.party = RelyingParty("localhost", "Shop", (ORIGIN,))

    async def register(self, *registered: Passkey) -> Passkey:
        challenge = secrets.token_bytes(32)
        options = self.party.registration_options(a_user(), challenge, registered)
        new = self.party.verify_registration(await self.page.evaluate(CREATE, options), challenge)
        self.state = new.state
        return Passkey(
            new.credential_id, USER_ID, new.public_key, new.state.sign_count, new.transports
        )

    async def authenticate(self, passkey: Passkey, *, alone: bool) -> Passkey:
        challenge = secrets.token_bytes(32)
        options = self.party.authentication_options(challenge, [] if alone else [passkey])
        credential = await self.frame.evaluate(GET, options)
        identified = None if alone else USER_ID
        self.state = verify(credential, challenge, passkey, identified, party=self.party)
        return replace(passkey, sign_count=self.state.sign_count)


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    async with open_page(ORIGIN) as page:
        # no server: a page with passkeys needs nothing but its origin
        await page.route("**/*", lambda route: route.fulfill(content_type="text/html", body=""))
        await page.route(
            f"{EVIL}/", lambda route: route.fulfill(content_type="text/html", body=FRAME)
        )
        await page.goto("/")
        yield Shop(page)


async def test_browser_passkey_signs_in_alone_and_as_second_factor(shop: Shop) -> None:
    await add_authenticator(shop.page, PLATFORM)
    passkey = await shop.register()
    assert shop.state == AuthenticatorState(shop.state.sign_count, True, True, True)
    assert passkey.transports == ("internal",)
    passkey = await shop.authenticate(passkey, alone=True)
    await shop.authenticate(passkey, alone=False)


async def test_browser_security_key_counts_its_signatures(shop: Shop) -> None:
    await add_authenticator(shop.page, SECURITY_KEY)
    passkey = await shop.register()
    assert (shop.state.backup_eligible, passkey.transports) == (False, ("usb",))
    later = await shop.authenticate(passkey, alone=True)
    assert later.sign_count > passkey.sign_count
    with pytest.raises(SignCountNotIncreased):
        await shop.authenticate(replace(passkey, sign_count=1000), alone=False)


async def test_browser_security_key_that_verifies_no_user_is_a_second_factor(shop: Shop) -> None:
    await add_authenticator(
        shop.page, SECURITY_KEY | {"hasUserVerification": False, "hasResidentKey": False}
    )
    passkey = await shop.register()
    await shop.authenticate(passkey, alone=False)
    assert not shop.state.user_verified


async def test_browser_authenticator_with_a_passkey_is_left_out(shop: Shop) -> None:
    await add_authenticator(shop.page, PLATFORM)
    passkey = await shop.register()
    with pytest.raises(Error, match="InvalidStateError"):
        await shop.register(passkey)


async def test_browser_response_to_another_origin_is_refused(shop: Shop) -> None:
    await add_authenticator(shop.page, PLATFORM)
    shop.party = replace(shop.party, origins=("http://localhost:1",))
    with pytest.raises(CredentialInvalid):
        await shop.register()


async def test_browser_response_from_a_foreign_frame_is_refused(shop: Shop) -> None:
    await add_authenticator(shop.page, PLATFORM)
    passkey = await shop.register()
    await shop.page.goto(EVIL)
    shop.frame = shop.page.frames[1]
    with pytest.raises(CredentialInvalid) as refused:
        await shop.authenticate(passkey, alone=True)
    assert "frame" in (refused.value.reason or "")
    shop.party = replace(shop.party, origins=(ORIGIN, EVIL))
    await shop.authenticate(passkey, alone=True)
