"""The language of a message: the recipient's own, else the client's, else the default."""

from collections.abc import Callable
from typing import Any

import pytest

from auth_service.delivery.recipient_locales import RecipientLocales
from shared.errors import ServiceUnavailable
from tests.support.accounts import PASSWORD, activate, next_code, post, register
from tests.support.auth_client import AuthClient
from tests.support.waiting import until

NUMBER, EMAIL = "+919876543210", "asha@example.com"
HINDI, GERMAN = "आपका Cheershare कोड है।", "ist Ihr Cheershare-Code."


async def newest(auth: AuthClient, to: str, count: int) -> str:
    """The newest message's text, once `count` have arrived."""

    async def arrived() -> bool:
        return len(await auth.inbox(to)) >= count

    await until(arrived)
    return str((await auth.inbox(to))[0]["text"])


async def set_locale(auth: AuthClient, token: str, locale: str | None) -> Any:
    answer = await auth.call("PATCH", "/me", token=token, json={"locale": locale})
    assert answer.status == 200, answer.body
    return answer.body["locale"]


@pytest.mark.parametrize(
    ("header", "text"),
    [
        ("hi-IN,hi;q=0.9,en;q=0.5", HINDI),
        ("fr, de;q=0.7", GERMAN),
        ("fr-FR", "is your Cheershare code."),
        ("*;q=1,de;q=0", "is your Cheershare code."),
        ("de" * 3000, "is your Cheershare code."),
        ("\xff;;=,", "is your Cheershare code."),
    ],
)
async def test_code_comes_in_the_language_that_the_client_prefers(
    auth: AuthClient, header: str, text: str
) -> None:
    sent = await auth.request_code(NUMBER, headers={"Accept-Language": header})
    assert sent.status == 202
    assert text in await newest(auth, NUMBER, 1)


async def test_code_without_a_wish_comes_in_the_default_language(
    serving_auth: Callable[..., Any],
) -> None:
    async with serving_auth(default_locale="de") as auth:
        await auth.request_code(NUMBER)
        assert GERMAN in await newest(auth, NUMBER, 1)


async def test_locale_of_the_user_wins_over_the_client(auth: AuthClient) -> None:
    token = (await auth.sign_in(NUMBER))["access_token"]
    assert await set_locale(auth, token, "hi_in") == "hi-IN"
    await auth.request_code(NUMBER, headers={"Accept-Language": "de"})
    assert HINDI in await newest(auth, NUMBER, 2)
    await post(auth, "/login", mobile=NUMBER)
    assert HINDI in await newest(auth, NUMBER, 3)
    assert (await auth.call("GET", "/me", token=token)).body["locale"] == "hi-IN"
    assert await set_locale(auth, token, None) is None
    await auth.request_code(NUMBER, headers={"Accept-Language": "de"})
    assert GERMAN in await newest(auth, NUMBER, 4)


async def test_notice_of_a_strangers_sign_in_comes_in_the_users_language(auth: AuthClient) -> None:
    """A thief's browser does not choose the language of the warning."""
    pair = await activate(auth, email=EMAIL, password=PASSWORD)
    await set_locale(auth, pair["access_token"], "es")
    thief = {"User-Agent": "Thief/1", "Accept-Language": "hi"}
    body = {"email": EMAIL, "password": PASSWORD}
    assert (await auth.call("POST", "/login", json=body, headers=thief)).status == 200
    text = await newest(auth, EMAIL, 2)
    assert text.startswith("Se ha iniciado sesión en tu cuenta de Cheershare.")


async def test_notice_to_a_former_address_comes_in_the_users_language(auth: AuthClient) -> None:
    pair = await activate(auth, email=EMAIL, password=PASSWORD)
    token = pair["access_token"]
    await set_locale(auth, token, "de")
    fresh = "new@example.com"
    sent = await auth.call("PATCH", "/me", token=token, json={"email": fresh})
    assert sent.status == 202, sent.body
    body = {"email": fresh, "otp": await auth.code(fresh)}
    assert (await auth.call("POST", "/me/verify-contact", token=token, json=body)).status == 200
    assert "Die E-Mail-Adresse Ihres Cheershare-Kontos" in await newest(auth, EMAIL, 2)


async def test_mail_has_text_and_html_in_one_language(auth: AuthClient) -> None:
    headers = {"Accept-Language": "de"}
    body = {"email": EMAIL, "password": PASSWORD}
    assert (await auth.call("POST", "/register", json=body, headers=headers)).status == 201
    text = await newest(auth, EMAIL, 1)
    assert "Konto aktivieren" in text
    assert "/v1/auth/pages/activate#email=asha%40example.com&otp=" in text


@pytest.mark.parametrize("error", [ServiceUnavailable(), TimeoutError()])
async def test_code_is_sent_while_the_users_locale_cannot_be_read(
    auth: AuthClient, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    token = (await auth.sign_in(NUMBER))["access_token"]
    await set_locale(auth, token, "hi")

    async def away(*_: object) -> None:
        raise error

    monkeypatch.setattr("auth_service.delivery.recipient_locales.find_locale", away)
    assert await RecipientLocales(None).find("sms", NUMBER) is None  # type: ignore[arg-type]
    await auth.request_code(NUMBER, headers={"Accept-Language": "de"})
    assert GERMAN in await newest(auth, NUMBER, 2)


@pytest.mark.parametrize(
    ("device", "tag"),
    [
        ("en_US@calendar=buddhist", "en-US"),
        ("zh_TW_#Hant", "zh-TW"),
        ("zh__#Hant", "zh"),
        ("de_DE.UTF-8@euro", "de-DE"),
        ("en-US-u-ca-buddhist", "en-US-u-ca-buddhist"),
        ("", None),
    ],
)
async def test_locale_of_a_device_is_stored_as_a_language_tag(
    auth: AuthClient, device: str, tag: str | None
) -> None:
    token = (await auth.sign_in(NUMBER))["access_token"]
    await set_locale(auth, token, "hi")
    assert await set_locale(auth, token, device) == tag


@pytest.mark.parametrize(
    "locale", ["@", "#Hant", "d", "deutsch!", "de\n", "e" * 36, "de--AT", "_" * 60_000, 7, ["de"]]
)
async def test_locale_that_is_no_language_tag_is_refused(auth: AuthClient, locale: object) -> None:
    token = (await auth.sign_in(NUMBER))["access_token"]
    answer = await auth.call("PATCH", "/me", token=token, json={"locale": locale})
    assert (answer.status, answer.code) == (422, "validation_failed")


async def test_locale_without_templates_is_kept_and_falls_back(auth: AuthClient) -> None:
    token = (await auth.sign_in(NUMBER))["access_token"]
    assert await set_locale(auth, token, "ja") == "ja"
    await auth.request_code(NUMBER, headers={"Accept-Language": "de"})
    assert GERMAN in await newest(auth, NUMBER, 2)


async def test_resent_code_comes_in_the_language_of_its_request(auth: AuthClient) -> None:
    await register(auth, email=EMAIL)
    await next_code(auth, EMAIL, "/resend-otp", email=EMAIL)
    body = {"email": EMAIL}
    await auth.call("POST", "/resend-otp", json=body, headers={"Accept-Language": "es"})
    assert "activar tu cuenta" in await newest(auth, EMAIL, 3)
