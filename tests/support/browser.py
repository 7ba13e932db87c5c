"""A browser's side of cookie sessions: a jar that says what was set, and how."""

from dataclasses import dataclass, field
from http.cookies import Morsel, SimpleCookie
from typing import Any

from aiohttp import ClientSession

from tests.conftest import ISSUER
from tests.support.auth_client import Answer, AuthClient, read

ACCESS, REFRESH, CSRF = "__Host-access", "__Secure-refresh", "__Host-csrf"
DEVICE = "__Host-device"


@dataclass
class Browser:
    """One browser on a page of our own; a test may send any cookie line instead."""

    http: ClientSession
    jar: dict[str, str] = field(default_factory=dict)

    async def call(self, method: str, path: str, **options: Any) -> Answer:
        """Ask as our page does: with the cookies, the origin, and what shows our intent."""
        own = {"Origin": ISSUER, "X-CSRF-Token": self.jar.get(CSRF, ""), "Cookie": self.line()}
        headers = {name: value for name, value in own.items() if value}
        changes: dict[str, str | None] = options.pop("headers", {})
        headers = {name: value for name, value in headers.items() if name not in changes}
        headers |= {name: value for name, value in changes.items() if value is not None}
        async with self.http.request(method, path, headers=headers, **options) as response:
            answer = await read(response)
        self.jar |= {name: one.value for name, one in cookies_set_by(answer).items()}
        return answer

    def line(self, **changes: str) -> str:
        """The Cookie header: what the jar holds."""
        return "; ".join(f"{name}={value}" for name, value in (self.jar | changes).items() if value)


def cookies_set_by(answer: Answer) -> "dict[str, Morsel[str]]":
    """Every cookie that an answer sets, with its attributes."""
    cookies: SimpleCookie = SimpleCookie()
    for line in answer.headers.getall("Set-Cookie", []):  # type: ignore[attr-defined]
        cookies.load(line)
    return dict(cookies)


async def sign_in(auth: AuthClient, number: str) -> Browser:
    """A browser that has signed in with cookies."""
    browser = Browser(auth.http)
    before = len(await auth.codes(number))
    sent = await auth.request_code(number)
    body = {
        "phone_number": number,
        "otp": await auth.code(number, before + 1),
        "challenge": sent.body["challenge"],
        "transport": "cookie",
    }
    answer = await browser.call("POST", "/v1/auth/signup", json=body)
    assert answer.status in {200, 201}, answer.body
    return browser


async def request_cookie_sign_in(auth: AuthClient, number: str, **headers: str) -> Answer:
    """What a sign-in that asks for cookies is answered with."""
    before = len(await auth.codes(number))
    await auth.request_code(number)
    code = await auth.code(number, before + 1)
    body = {"phone_number": number, "otp": code, "transport": "cookie"}
    return await auth.call("POST", "/signup", json=body, headers=headers)


async def is_signed_in(browser: Browser) -> bool:
    """Return whether the browser is signed in."""
    return (await browser.call("GET", "/v1/auth/me")).status == 200
