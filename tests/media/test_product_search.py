"""Products found by their words, by anybody, at a bounded cost."""

from tests.support.media_client import MediaClient
from tests.support.products import create_product, search_names


async def test_product_search_matches_word_prefixes_of_visible_products(media: MediaClient) -> None:
    await create_product(media, name="Blue desk lamp", description="For reading at night")
    await create_product(media, name="Rote Lampe", description="Für das Büro")
    await create_product(media, name="Secret lamp", visibility="hidden")
    assert await search_names(media, q="lamp") == ["Rote Lampe", "Blue desk lamp"]
    assert await search_names(media, q="LAMPE") == ["Rote Lampe"]
    assert await search_names(media, q="la blue") == []  # only the last word may be begun
    assert await search_names(media, q="blue la") == ["Blue desk lamp"]
    assert await search_names(media, q="night") == ["Blue desk lamp"]
    assert await search_names(media, q="büro") == ["Rote Lampe"]
    assert await search_names(media, q="secret") == []
    for nothing in ("!!!", "'", "\\", ":*", "& | !", "()", "<->", ":*&|"):
        assert await search_names(media, q=nothing) == [], nothing


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
