"""media_service by cookie: what a change needs, what is refused."""

from uuid import UUID

from tests.conftest import ISSUER
from tests.support.auth_client import Answer, read
from tests.support.media_client import FORM as FORM_TYPE
from tests.support.media_client import MEDIA, MediaClient, picture_form

ACCESS = "__Host-access"
SHOWN = "5" * 64


async def call(media: MediaClient, method: str, path: str, line: str, **headers: str) -> Answer:
    sent = {"Cookie": line, "Origin": ISSUER, **headers}
    data = picture_form() if method == "POST" else None
    sent |= FORM_TYPE if data else {}
    async with media.http.request(method, MEDIA + path, headers=sent, data=data) as response:
        return await read(response)


def cookie(media: MediaClient, user: UUID, **claims: str) -> str:
    return f"{ACCESS}={media.mint.token(user, **claims)}"


async def test_creative_by_cookie_is_created_served_and_deleted(media: MediaClient) -> None:
    line = cookie(media, media.user_id, csrf=SHOWN)
    shown = {"X-CSRF-Token": SHOWN}
    created = await call(media, "POST", "/creatives", line, **shown)
    assert created.status == 201, created.body
    path = f"/creatives/{created.body['id']}"
    assert (await call(media, "GET", path, line)).status == 200
    assert (await call(media, "GET", f"{path}/file", line)).status == 200
    for headers in ({}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": "6" * 64}):
        refused = await call(media, "DELETE", path, line, **headers)
        assert (refused.status, refused.code) == (403, "csrf_failed")
        assert refused.body["detail"].startswith("send X-CSRF-Token with `csrf` of the sign-in")
    assert (await call(media, "DELETE", path, line, **shown)).status == 204


async def test_creative_post_by_token_without_csrf_claim_is_csrf_failed(
    media: MediaClient,
) -> None:
    line = cookie(media, media.user_id)
    refused = await call(media, "POST", "/creatives", line, **{"X-CSRF-Token": SHOWN})
    assert (refused.status, refused.code) == (403, "csrf_failed")


async def test_bearer_token_beside_cookies_ignores_cookies(media: MediaClient) -> None:
    created = await media.upload()
    line = f"{ACCESS}=x; {ACCESS}=y"
    mine = await call(media, "GET", "/creatives", line, Authorization=f"Bearer {media.token}")
    assert [item["id"] for item in mine.body["items"]] == [created["id"]]
    refused = await call(media, "GET", "/creatives", line)
    assert (refused.status, refused.code) == (400, "malformed_request")
    assert refused.headers["Vary"] == "Authorization, Cookie, Origin"
