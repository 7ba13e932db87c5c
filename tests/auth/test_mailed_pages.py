"""The pages that mails link to: ours by default, or the app's own."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from auth_service.otp.model import MailedLink
from tests.conftest import ISSUER
from tests.support.accounts import PASSWORD, activate, next_code, post
from tests.support.auth_client import AuthClient

EMAIL = "asha+shop@example.com"
PAGES = ("/pages/reset-password", "/pages/activate")


async def mailed_link(auth: AuthClient) -> str:
    """The link in the newest mail."""
    text = str((await auth.inbox(EMAIL))[0]["text"])
    found = re.search(r"^https?://\S+$", text, re.MULTILINE)
    assert found, text
    return found[0]


@pytest.mark.parametrize("path", PAGES)
async def test_mailed_page_is_in_the_browsers_language_under_a_strict_policy(
    auth: AuthClient, path: str
) -> None:
    nonces = set()
    for language in ("de-DE,de;q=0.9", "hi", "fr"):
        headers = {"Accept-Language": language}
        answer = await auth.call("GET", path, headers=headers)
        page = answer.body.decode()
        assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        assert f'<html lang="{"en" if language == "fr" else language[:2]}">' in page
        assert answer.headers["Vary"] == "Accept-Language, Origin"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        policy = answer.headers["Content-Security-Policy"].split("; ")
        assert {"default-src 'none'", "connect-src 'self'", "frame-ancestors 'none'"} <= {*policy}
        found = re.search(r"script-src 'nonce-([\w+/]{22}==)'", "; ".join(policy))
        assert found, policy
        nonce = found[1]
        assert f'<script nonce="{nonce}">' in page
        assert f'<style nonce="{nonce}">' in page
        nonces.add(nonce)
    assert len(nonces) == 3


async def test_page_shows_the_brand(serving_auth: Callable[..., Any]) -> None:
    brand = {"product_name": "Mug & Co", "brand_color": "#0a7", "brand_text_color": "#000000"}
    async with serving_auth(**brand) as auth:
        page = (await auth.call("GET", PAGES[0])).body.decode()
    assert "Mug &amp; Co" in page
    assert "background:#0a7;color:#000000" in page
    assert "Cheershare" not in page


async def test_links_lead_to_pages_of_ours_by_default(auth: AuthClient) -> None:
    await activate(auth, email=EMAIL, password=PASSWORD)
    assert (await mailed_link(auth)).startswith(f"{ISSUER}/v1/auth/pages/activate#email=")
    await next_code(auth, EMAIL, "/forgot-password", email=EMAIL)
    reset = await mailed_link(auth)
    assert reset.startswith(f"{ISSUER}/v1/auth/pages/reset-password#reset_ticket=cht_")
    for link in (reset, f"{ISSUER}/v1/auth/pages/activate"):
        async with auth.http.get(urlsplit(link).path) as page:
            assert page.status == 200


async def test_links_lead_to_pages_of_the_app(serving_auth: Callable[..., Any]) -> None:
    pages = {
        "reset_url": "https://app.example/#/reset",
        "activate_url": "https://app.example/welcome?from=mail",
    }
    async with serving_auth(**pages) as auth:
        await activate(auth, email=EMAIL, password=PASSWORD)
        welcome = await mailed_link(auth)
        await next_code(auth, EMAIL, "/forgot-password", email=EMAIL)
        reset = await mailed_link(auth)
    assert welcome.startswith("https://app.example/welcome?from=mail#email=")
    assert reset.startswith("https://app.example/#/reset?reset_ticket=cht_")


async def test_activation_link_holds_the_body_of_verify_otp(auth: AuthClient) -> None:
    assert (await post(auth, "/register", email=EMAIL, password=PASSWORD)).status == 201
    await auth.code(EMAIL)
    values = parse_qs(urlsplit(await mailed_link(auth)).fragment)
    body = {name: value for name, [value] in values.items()}
    assert body["email"] == EMAIL
    assert (await post(auth, "/verify-otp", **body)).status == 200
    assert (await post(auth, "/login", email=EMAIL, password=PASSWORD)).status == 200


async def test_activation_by_sms_has_no_link(auth: AuthClient) -> None:
    await post(auth, "/register", mobile="+919876543210", email=EMAIL)
    await auth.code("+919876543210")
    assert "http" not in (await auth.inbox("+919876543210"))[0]["text"]


@pytest.mark.parametrize(
    ("page", "start"),
    [
        ("https://app.example/reset", "https://app.example/reset#reset_ticket=cht_x"),
        ("https://app.example/reset#", "https://app.example/reset#reset_ticket=cht_x"),
        ("https://app.example/#/reset", "https://app.example/#/reset?reset_ticket=cht_x"),
        ("https://app.example/#/r?a=1", "https://app.example/#/r?a=1&reset_ticket=cht_x"),
    ],
)
def test_mailed_secret_is_in_the_fragment_of_every_page(page: str, start: str) -> None:
    url = MailedLink(page, "cht_x").url("asha@example.com", "123456")
    assert url == start
    assert "cht_x" in urlsplit(url).fragment
