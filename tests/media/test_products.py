"""Products through the HTTP interface: offered, seen, changed, withdrawn."""

import asyncio
import re
from typing import Any
from uuid import UUID

from media_service.product.schemas import CURRENCIES
from tests.support.auth_client import Answer
from tests.support.injection_texts import INJECTIONS
from tests.support.media_client import MediaClient
from tests.support.products import LAMP, create_product, search_names

MISSING = "PR-000000000000"


async def own(media: MediaClient, **query: str) -> Answer:
    return await media.call("GET", "/products", params=query)


async def change(media: MediaClient, product: Any, match: str | None = None, **to: Any) -> Answer:
    headers = {"If-Match": match} if match else {}
    return await media.call("PATCH", f"/products/{product['id']}", json=to, headers=headers)


async def test_product_created_is_returned_and_listed(media: MediaClient) -> None:
    answer = await media.call("POST", "/products", json=LAMP | {"description": "Bright.\nSmall."})
    made = answer.body
    assert answer.status == 201
    assert answer.headers["Location"] == f"/v1/media/products/{made['id']}"
    assert answer.headers["ETag"] == '"1"'
    assert re.fullmatch("PR-[0-9A-HJKMNP-TV-Z]{12}", made["id"])
    assert made == {
        **LAMP,
        "id": made["id"],
        "user_id": str(media.user_id),
        "description": "Bright.\nSmall.",
        "visibility": "public",
        "photo_url": None,
        "created_at": made["created_at"],
        "updated_at": made["created_at"],
        "version": 1,
    }
    again = await media.call("GET", f"/products/{made['id']}")
    assert (again.body, again.headers["ETag"]) == (made, '"1"')
    assert (await own(media)).body == {"items": [made], "next_cursor": None}


async def test_product_hidden_is_404_for_other_users(media: MediaClient) -> None:
    hidden, shown = (
        await create_product(media, visibility="hidden"),
        await create_product(media, name="Shown"),
    )
    stranger = media.as_other_user()
    path = f"/products/{hidden['id']}"
    assert (await media.call("GET", path)).status == 200
    assert (await stranger.call("GET", path)).code == "not_found"
    assert (await stranger.call("GET", f"/products/{shown['id']}")).body == shown
    assert await search_names(media) == ["Shown"]
    assert (await own(stranger)).body["items"] == []
    assert (await change(media, hidden, visibility="public")).status == 200
    assert (await stranger.call("GET", path)).status == 200
    assert await search_names(media) == ["Shown", "Desk lamp"]
    assert (await change(media, shown, visibility="hidden")).status == 200
    assert await search_names(media) == ["Desk lamp"]


async def test_product_changed_by_another_user_is_404(media: MediaClient) -> None:
    made = await create_product(media)
    to: dict[str, Any] = {"name": "Lamp", "description": "x", "price": 0, "currency": "JPY"}
    changed = (await change(media, made, None, **to)).body
    assert {field: changed[field] for field in to} == to
    assert changed["version"] == 2
    assert changed["updated_at"] > changed["created_at"] == made["created_at"]
    for stranger in (media.as_other_user(), media.as_other_user("editor")):
        refused = await change(stranger, made, name="Mine")
        assert (refused.status, refused.code) == (404, "not_found")
        assert (await stranger.call("DELETE", f"/products/{made['id']}")).code == "not_found"
    assert (await media.call("GET", f"/products/{made['id']}")).body == changed


async def test_product_patch_stale_version_is_412(media: MediaClient) -> None:
    made = await create_product(media)
    answers = await asyncio.gather(*(change(media, made, '"1"', name=str(n)) for n in range(8)))
    assert sorted(answer.status for answer in answers) == [200] + [412] * 7
    refused = await change(media, made, '"1"', name="x")
    assert (refused.code, refused.body["current_version"]) == ("version_mismatch", 2)
    assert (await change(media, made, "*", name="x")).body["version"] == 3
    assert (await change(media, {"id": MISSING}, '"1"', name="x")).code == "not_found"


async def test_product_patches_at_once_without_version_are_all_applied(media: MediaClient) -> None:
    made = await create_product(media)
    await asyncio.gather(*(change(media, made, price=n) for n in range(10)))
    assert (await media.call("GET", f"/products/{made['id']}")).body["version"] == 11


async def test_product_deleted_is_404(media: MediaClient) -> None:
    path = f"/products/{(await create_product(media))['id']}"
    assert (await media.call("DELETE", path)).status == 204
    for method in ("GET", "DELETE"):
        assert (await media.call(method, path)).code == "not_found"
    assert (await media.call("PATCH", path, json={"price": 1})).code == "not_found"
    assert await search_names(media) == []


async def test_product_malformed_id_is_404(media: MediaClient) -> None:
    real = (await create_product(media))["id"]
    names = ("x", MISSING, real.lower(), real + "0", "PR-00000000000U", str(UUID(int=1)), "%00")
    for name in names:
        for path in (f"/products/{name}", f"/products/{name}/photo"):
            assert (await media.call("GET", path)).code == "not_found", path


async def test_product_id_public_is_not_routed_as_a_product(media: MediaClient) -> None:
    for method in ("DELETE", "PATCH", "PUT"):
        refused = await media.call(method, "/products/public")
        assert (refused.status, refused.headers["Allow"]) == (405, "GET, HEAD")
    assert (await media.call("GET", "/products/public/photo")).code == "not_found"
    assert (await media.call("GET", "/products/publican")).code == "not_found"


async def pages(media: MediaClient, path: str, limit: int) -> list[list[str]]:
    """The names of every page there is."""
    query: dict[str, str] = {"limit": str(limit)}
    seen: list[list[str]] = []
    while True:
        page = (await media.call("GET", path, params=query)).body
        seen.append([item["name"] for item in page["items"]])
        if page["next_cursor"] is None:
            return seen
        query["cursor"] = page["next_cursor"]


async def test_products_list_is_paged_newest_first(media: MediaClient) -> None:
    for number in range(5):
        await create_product(media, name=str(number))
    await create_product(media.as_other_user(), name="hers")
    assert await pages(media, "/products", 2) == [["4", "3"], ["2", "1"], ["0"]]
    assert await pages(media, "/products/public", 3) == [["hers", "4", "3"], ["2", "1", "0"]]
    assert await pages(media.as_other_user(), "/products", 3) == [[]]


async def test_product_injection_text_is_stored_literally(media: MediaClient) -> None:
    for text in INJECTIONS:
        await try_text(media, text)


async def try_text(media: MediaClient, text: str) -> None:
    made = await create_product(media, name=text, description=text)
    assert (made["name"], made["description"]) == (text.strip(), text)
    changed = (await change(media, made, name=f"b {text}", description=f"c {text}")).body
    assert (changed["name"], changed["description"]) == (f"b {text}".strip(), f"c {text}")
    assert all(name.startswith("b ") for name in await search_names(media, q=text))
    for field in ("currency", "visibility", "price"):
        assert (await change(media, made, **{field: text})).status == 422
    for query in ({"cursor": text}, {"limit": text}):
        assert (await own(media, **query)).code == "validation_failed"


BAD_FIELDS: list[tuple[str, Any]] = [
    ("name", ""),
    ("name", "  "),
    ("name", "x" * 201),
    ("name", "a\nb"),
    ("name", 5),
    ("description", "x" * 4001),
    ("description", "a\x07b"),
    ("price", -1),
    ("price", 1.5),
    ("price", 1200.5),
    ("price", 1e300),
    ("price", "5"),
    ("price", True),
    ("price", 2**53),
    ("currency", "EURO"),
    ("currency", "XXX"),
    ("currency", "ABC"),
    ("visibility", "secret"),
    ("colour", "red"),
    ("id", MISSING),
    ("user_id", str(UUID(int=0))),
    ("photo", "x"),
]


async def test_product_invalid_fields_are_422_on_create_and_patch(media: MediaClient) -> None:
    made = await create_product(media)
    for field, value in BAD_FIELDS:
        for refused in (
            await media.call("POST", "/products", json=LAMP | {field: value}),
            await change(media, made, **{field: value}),
        ):
            assert (refused.status, refused.code) == (422, "validation_failed"), (field, value)
            assert [error["field"] for error in refused.body["errors"]] == [field], (field, value)
    nothing = await media.call("POST", "/products", json={})
    assert {e["field"] for e in nothing.body["errors"]} == {"name", "price", "currency"}
    assert (await change(media, made)).code == "validation_failed"
    assert (await own(media)).body["items"] == [made]


async def test_product_price_and_currency_of_other_writers_are_taken(media: MediaClient) -> None:
    made = await create_product(media, price=1200.0, currency="inr")
    assert (made["price"], made["currency"]) == (1200, "INR")
    changed = (await change(media, made, price=0.0, currency="Eur")).body
    assert (changed["price"], changed["currency"]) == (0, "EUR")


async def test_null_of_an_optional_field_is_absence(media: MediaClient) -> None:
    unsaid = {"description": None, "visibility": None}
    made = await media.call("POST", "/products", json=LAMP | unsaid)
    assert (made.status, made.body["visibility"]) == (201, "public")
    required = await media.call("POST", "/products", json=LAMP | {"name": None})
    assert [error["field"] for error in required.body["errors"]] == ["name"]
    changed = await change(media, made.body, name="Lantern", price=None, currency=None)
    assert (changed.body["name"], changed.body["price"]) == ("Lantern", made.body["price"])
    assert (await change(media, made.body, name=None)).code == "validation_failed"


async def test_product_malformed_body_is_refused(media: MediaClient) -> None:
    headers = {"Content-Type": "application/json"}
    for body, code in ((b"{", "malformed_json"), (b"[1]", "validation_failed")):
        refused = await media.call("POST", "/products", data=body, headers=headers)
        assert refused.code == code
    text = await media.call("POST", "/products", data=b"x", headers={"Content-Type": "text/plain"})
    assert (text.status, text.code) == (415, "unsupported_media_type")


async def test_products_list_invalid_query_is_422(media: MediaClient) -> None:
    mine = await create_product(media)
    await create_product(media)
    cursor = (await own(media, limit="1")).body["next_cursor"]
    queries = [
        {"limit": "0"},
        {"limit": "201"},
        {"cursor": "x"},
        {"cursor": cursor[:-4]},
        {"cursor": cursor[::-1]},
        {"cursor": "WyJ4IiwieSJd"},
        {"cursor": "WyIyMDI2LTAxLTAxVDAwOjAwOjAwWiIsIngiXQ"},
    ]
    for query in queries:
        for path in ("/products", "/products/public"):
            refused = await media.call("GET", path, params=query)
            assert refused.code == "validation_failed", query
            assert refused.body["errors"][0]["field"] == next(iter(query))
    for unknown in ({"q": "x"}, {"colour": "red"}):
        assert (await own(media, **unknown)).code == "validation_failed"
    assert (await own(media, cursor=cursor)).body["items"] == [mine]
    creatives = await media.call("GET", "/creatives", params={"cursor": cursor})
    assert creatives.code == "validation_failed"


async def test_product_idempotency_key_creates_one_product(media: MediaClient) -> None:
    async def send(key: str, **fields: Any) -> Answer:
        headers = {"Idempotency-Key": key}
        while True:
            answer = await media.call("POST", "/products", json=LAMP | fields, headers=headers)
            if answer.status != 409:
                return answer
            assert answer.code == "request_in_progress"
            await asyncio.sleep(0.01)

    answers = await asyncio.gather(*(send("k") for _ in range(20)))
    assert {answer.status for answer in answers} == {201}
    assert len({str(answer.body) for answer in answers}) == 1
    assert len((await own(media)).body["items"]) == 1
    assert (await send("k", price=1)).code == "idempotency_mismatch"
    assert (await send("l")).body["id"] != answers[0].body["id"]


def test_currencies_are_the_iso_codes_in_use() -> None:
    assert {"EUR", "USD", "INR", "JPY", "CHF", "KWD", "SLE", "VED", "XCG", "ZWG"} <= CURRENCIES
    assert not {"DEM", "HRK", "XXX", "XTS", "eur"} & CURRENCIES
    assert all(re.fullmatch("[A-Z]{3}", code) for code in CURRENCIES)
