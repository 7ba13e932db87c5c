"""Products found by their words, without a sign-in, at a bounded cost."""

import unicodedata

import pytest

from media_service.product.service import fold_products
from shared.db import open_database
from tests.support.media_client import MediaClient
from tests.support.products import create_product, search_names


async def test_product_search_matches_word_prefixes_of_visible_products(media: MediaClient) -> None:
    await create_product(media, name="Blue desk lamp", description="For reading at night")
    await create_product(media, name="Rote Lampe", description="Für das Büro")
    await create_product(media, name="Secret lamp", visibility="hidden")
    assert await search_names(media, q="lamp") == ["Rote Lampe", "Blue desk lamp"]
    assert await search_names(media, q="LAMPE") == ["Rote Lampe"]
    assert await search_names(media, q="la blue") == ["Blue desk lamp"]
    assert await search_names(media, q="blue la") == ["Blue desk lamp"]
    assert await search_names(media, q="am") == []  # two letters begin a word
    assert await search_names(media, q="amp") == ["Rote Lampe", "Blue desk lamp"]
    assert await search_names(media, q="lamesk") == []
    assert await search_names(media, q="100%") == await search_names(media, q="la_p") == []
    assert await search_names(media, q="night") == ["Blue desk lamp"]
    assert await search_names(media, q="büro") == ["Rote Lampe"]
    assert await search_names(media, q="secret") == []
    for nothing in ("!!!", "'", "\\", ":*", "& | !", "()", "<->", ":*&|"):
        assert await search_names(media, q=nothing) == [], nothing


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("Café Zürich", ("cafe", "CAFÉ", "cafe\u0301", "zurich", "Zu\u0308rich", "caf")),
        ("Straßenlampe", ("strasse", "STRASSE", "Straße", "lampe", "\u017ftraße")),
        ("Cafe\u0301 crème", ("café", "creme")),
        ("Łódź smørrebrød", ("lodz", "smorrebrod", "smørrebrød")),
        ("私は東京に住んでいます", ("東京", "住んで", "私", "私は東京")),
        ("高级智能手机保护壳", ("手机", "智能手机", "保护壳")),
        ("โคมไฟตั้งโต๊ะ", ("โคมไฟ", "ตั้งโต๊ะ", "โต๊ะ")),
        ("\uff76\uff92\uff97 \uff23\uff21\uff2d\uff25\uff32\uff21", ("カメラ", "camera")),
        ("हिन्दी किताब", ("हिन्दी", "किताब")),
        ("İstanbul ISPARTA", ("istanbul", "isparta")),
        ("Ёлка й", ("ёлка", "елка")),
        ("\ufb01ne \U0001d41font", ("fine", "font")),
    ],
)
async def test_search_finds_words_as_people_see_them(
    media: MediaClient, name: str, texts: tuple[str, ...]
) -> None:
    await create_product(media, name="Something else")
    await create_product(media, name=name)
    for text in texts:
        [found] = await search_names(media, q=text)
        assert unicodedata.normalize("NFC", found) == unicodedata.normalize("NFC", name), text


async def test_search_of_changed_product_finds_its_new_words_alone(media: MediaClient) -> None:
    product = await create_product(media, name="Lamp", description="Café light")
    path = f"/products/{product['id']}"
    assert (await media.call("PATCH", path, json={"name": "Stool"})).status == 200
    assert await search_names(media, q="stool") == await search_names(media, q="cafe") == ["Stool"]
    assert await search_names(media, q="lamp") == []
    assert (await media.call("PATCH", path, json={"price": 1})).status == 200
    assert await search_names(media, q="stool") == ["Stool"]


async def test_search_finds_products_of_the_release_before(
    media: MediaClient, media_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("media_service.product.service.FOLD_BATCH", 2)
    for number in range(5):
        await create_product(media, name=f"Lamp {number}")
    async with open_database(media_dsn) as database:
        await database.execute("UPDATE products SET folded = NULL, pieces = NULL")
        await database.execute("UPDATE products SET name = 'Chair' WHERE name = 'Lamp 4'")
        assert await search_names(media, q="lamp") == []
        await fold_products(database)
    assert len(await search_names(media, q="lamp")) == 4
    assert await search_names(media, q="chair") == ["Chair"]


async def test_search_forgets_words_that_the_release_before_changes(
    media: MediaClient, media_dsn: str
) -> None:
    await create_product(media, name="Lamp")
    async with open_database(media_dsn) as database:
        await database.execute("UPDATE products SET name = 'Chair'")
    assert await search_names(media, q="lamp") == []


async def test_product_search_matches_any_part_of_hyphenated_word(media: MediaClient) -> None:
    name = "Wi-Fi router X-2000 T-shirt"
    await create_product(media, name=name)
    await create_product(media, name="Lamp")
    for text in ("wi-fi", "wi-f", "wi-", "wi", "fi", "t-sh", "t-shirt", "sh", "x-2", "x-2000"):
        assert await search_names(media, q=text) == [name], text
    assert await search_names(media, q="router wi-f") == [name]
    assert await search_names(media, q="wi-f lamp") == await search_names(media, q="wi-q") == []
    for nothing in ("-", "--", "- -"):
        assert await search_names(media, q=nothing) == [], nothing


async def test_product_search_is_paged(media: MediaClient) -> None:
    for number in range(5):
        await create_product(media, name=f"lamp {number}")
        await create_product(media, name=f"desk {number}")
    query, seen = {"q": "la", "limit": "2"}, []
    while query.get("cursor") != "":
        page = (await media.call("GET", "/products/public", params=query)).body
        seen.append([item["name"][-1] for item in page["items"]])
        query["cursor"] = page["next_cursor"] or ""
    assert seen == [["4", "3"], ["2", "1"], ["0"]]
