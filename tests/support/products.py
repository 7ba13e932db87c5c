"""Creates and searches products."""

from typing import Any

from tests.support.media_client import MEDIA, MediaClient

LAMP = {"name": "Desk lamp", "price": 4999, "currency": "EUR"}


def pieces_sql(words: str) -> str:
    """SQL for the pieces of an array of words in small letters of ASCII, each after a blank."""
    return (
        "(SELECT array_agg(DISTINCT substr(word, at, 3)) || array_agg(DISTINCT left(word, 2)) "
        f"FROM unnest({words}) word, generate_series(1, greatest(1, length(word) - 2)) at)"
    )


async def create_product(media: MediaClient, **fields: Any) -> Any:
    answer = await media.call("POST", "/products", json=LAMP | fields)
    assert answer.status == 201, answer.body
    return answer.body


async def search_names(media: MediaClient, **query: str) -> list[str]:
    """The names in the public search."""
    path = f"{MEDIA}/products/public"
    async with media.http.get(path, params=query) as answer:
        assert answer.status == 200, await answer.text()
        return [product["name"] for product in (await answer.json())["items"]]
