"""Names and searches as people write them."""

from http import HTTPStatus
from io import BytesIO

import pytest

from tests.support.auth_client import Answer
from tests.support.media_client import FORM, MEDIA, MediaClient, form, part, picture_form
from tests.support.names import NAMES
from tests.support.products import create_product, search_names

LAMP = (part("name", "Lamp"), part("price", "4999"), part("currency", "EUR"))


async def offer(media: MediaClient, *parts: bytes) -> Answer:
    return await media.call("POST", "/products", data=BytesIO(form(*parts)), headers=FORM)


async def fetch(media: MediaClient, url: str) -> tuple[int, bytes]:
    """Ask without any token."""
    async with media.http.get(url) as answer:
        return answer.status, await answer.read()


async def test_products_keep_their_names_and_texts(media: MediaClient) -> None:
    for name in NAMES:
        text = f"{name}\n\n\t{name}"
        made = await create_product(media, name=f" {name}\n", description=f"{text} ")
        assert (made["name"], made["description"]) == (name, text)
    assert sorted(await search_names(media)) == sorted(NAMES)


async def test_creatives_keep_their_titles(media: MediaClient) -> None:
    made = await media.upload(part("title", f"{NAMES[1]} "))
    assert made["title"] == NAMES[1]
    for version, name in enumerate(NAMES, start=1):
        changed = await media.call(
            "PATCH",
            f"/creatives/{made['id']}",
            json={"title": f"\u3000{name}"},
            headers={"If-Match": str(version)},
        )
        assert changed.body["title"] == name
    for blank in ("", "\u200c\u00a0"):
        assert (await media.upload(part("title", blank)))["title"] is None


@pytest.mark.parametrize("char", ["\x1f", "\x85", "\u2028", "\u202e", "\u2066"], ids=ascii)
async def test_a_title_and_a_products_name_show_what_they_are(
    media: MediaClient, char: str
) -> None:
    title = await media.send(picture_form(None, part("title", f"a{char}b")))
    name = await offer(media, part("name", f"a{char}b"), *LAMP[1:])
    wrong = [answer.body["errors"][0]["field"] for answer in (title, name)]
    assert wrong == ["title", "name"]


@pytest.mark.parametrize("query", ["q=", "q=%20%20", "q=%C2%A0%E2%80%8C", "q=&cursor="])
async def test_a_blank_search_finds_all(media: MediaClient, query: str) -> None:
    await create_product(media, name="Lamp")
    status, body = await fetch(media, f"{MEDIA}/products/public?{query}")
    assert (status, b"Lamp" in body) == (HTTPStatus.OK, True)
