"""Products' photos: the same checks as creatives, seen by whoever sees the product."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from media_service.product import repository
from shared.db import open_database
from tests.support.auth_client import Answer, read
from tests.support.media_client import FORM, MEDIA, MediaClient, files_below, form, part
from tests.support.pictures import encode
from tests.support.waiting import until

PICTURE = encode()
WAITING = """
select count(*) from pg_stat_activity
where wait_event_type = 'Lock' and datname = current_database()
"""
FIELDS = (part("name", "Lamp"), part("price", "4999"), part("currency", "EUR"))


def photo(picture: bytes = PICTURE) -> bytes:
    return part("photo", picture, '; filename="lamp.png"')


async def send(media: MediaClient, *parts: bytes, **headers: str) -> Answer:
    body = BytesIO(form(*parts))
    return await media.call("POST", "/products", data=body, headers={**FORM, **headers})


async def create(media: MediaClient, *more: bytes) -> Any:
    answer = await send(media, photo(), *FIELDS, *more)
    assert answer.status == 201, answer.body
    return answer.body


async def put(media: MediaClient, product: Any, *parts: bytes, **headers: str) -> Answer:
    path = f"/products/{product['id']}/photo"
    body = BytesIO(form(*parts))
    return await media.call("PUT", path, data=body, headers={**FORM, **headers})


async def view(media: MediaClient, product: Any, method: str = "GET", **headers: str) -> Answer:
    """The photo as somebody sees it who is not signed in."""
    path = f"{MEDIA}/products/{product['id']}/photo"
    async with media.http.request(method, path, headers=headers) as answer:
        return await read(answer)


async def stored_pictures(files: Path, dsn: str) -> set[str]:
    """The names of the stored pictures, once the store agrees with the database."""
    connection = await asyncpg.connect(dsn)
    rows = await connection.fetch("select id from photos union all select id from creatives")
    await connection.close()
    names = {str(row["id"]) for row in rows}
    await until(lambda: {path.parent.name for path in files_below(files)} == names)
    return names


async def test_product_created_with_photo_serves_its_variants(media: MediaClient) -> None:
    made = await create(media, part("description", "Bright."), part("visibility", "hidden"))
    assert made["photo_url"] == f"/v1/media/products/{made['id']}/photo"
    assert (made["price"], made["description"], made["visibility"]) == (4999, "Bright.", "hidden")
    seen = await media.call("GET", f"/products/{made['id']}/photo")
    assert (seen.status, seen.headers["Content-Type"]) == (200, "image/jpeg")
    assert seen.headers["Content-Security-Policy"] == "sandbox"
    assert "lamp.jpg" in seen.headers["Content-Disposition"]
    for variant in ("preview", "thumb"):
        path = f"/products/{made['id']}/photo?variant={variant}"
        assert (await media.call("GET", path)).headers["Content-Type"] == "image/webp"
    assert (await media.call("GET", f"/products/{made['id']}")).body == made


async def test_photo_of_an_unknown_variant_is_422(media: MediaClient) -> None:
    for variant in ("huge", ""):
        refused = await media.call("GET", f"/products/PR-000000000000/photo?variant={variant}")
        assert (refused.status, refused.code) == (422, "validation_failed"), variant


async def test_product_form_without_photo_is_created(media: MediaClient) -> None:
    answer = await send(media, *FIELDS)
    assert (answer.status, answer.body["photo_url"]) == (201, None)
    assert (await view(media, answer.body)).code == "not_found"


async def test_photo_visible_needs_no_token_and_hidden_does(
    media: MediaClient,
) -> None:
    shown, hidden = (
        await create(media),
        await create(media, part("visibility", "hidden")),
    )
    seen = await view(media, shown)
    assert (seen.status, seen.headers["Vary"]) == (200, "Authorization, Cookie, Origin")
    assert (await view(media, shown, "HEAD")).headers["ETag"] == seen.headers["ETag"]
    assert (await view(media, hidden)).code == "not_found"
    assert (await view(media, hidden, "HEAD")).status == 404
    stranger = media.as_other_user()
    assert (await stranger.call("GET", f"/products/{hidden['id']}/photo")).code == "not_found"
    assert (await media.call("HEAD", f"/products/{hidden['id']}/photo")).status == 200
    for token in ("garbage", media.token + "x"):
        assert (await view(media, hidden, Authorization=f"Bearer {token}")).code == "token_invalid"
        assert (await view(media, shown, Authorization=f"Bearer {token}")).status == 200


async def test_photo_conditional_and_range_requests_are_answered(media: MediaClient) -> None:
    made = await create(media)
    whole = await view(media, made)
    part_of = await view(media, made, Range="bytes=0-9")
    assert (part_of.status, part_of.body) == (206, whole.body[:10])
    tag = {"If-None-Match": whole.headers["ETag"]}
    assert (await view(media, made, **tag)).status == 304
    stale = {"If-Match": '"other"'}
    assert (await view(media, made, **stale)).code == "version_mismatch"
    assert (await view(media, made, "HEAD", **stale)).status == 412
    assert (await view(media, made, Range="bytes=99999999-")).code == "range_not_satisfiable"


async def test_photo_put_replaces_photo_and_raises_version(
    media: MediaClient, files: Path, media_dsn: str
) -> None:
    made = await create(media)
    before = await view(media, made)
    answer = await put(media, made, photo(encode("PNG", seed=2)))
    assert (answer.status, answer.headers["ETag"]) == (200, '"2"')
    assert answer.body == made | {"version": 2, "updated_at": answer.body["updated_at"]}
    after = await view(media, made)
    assert after.headers["Content-Type"] == "image/png"
    assert after.headers["ETag"] != before.headers["ETag"]
    assert len(await stored_pictures(files, media_dsn)) == 1


async def test_photo_put_on_product_without_one_adds_it(media: MediaClient) -> None:
    made = (await send(media, *FIELDS)).body
    answer = await put(media, made, photo())
    assert answer.body["photo_url"] == f"/v1/media/products/{made['id']}/photo"
    assert (await view(media, made)).status == 200


async def test_photo_8_puts_at_once_leave_one(
    media: MediaClient, files: Path, media_dsn: str
) -> None:
    made = await create(media)
    answers = await asyncio.gather(*(put(media, made, photo(encode(seed=n))) for n in range(8)))
    assert [answer.status for answer in answers] == [200] * 8
    assert sorted(answer.body["version"] for answer in answers) == list(range(2, 10))
    assert len(await stored_pictures(files, media_dsn)) == 1


async def test_product_deleted_beside_photo_put_leaves_no_file(
    media: MediaClient, files: Path, media_dsn: str
) -> None:
    for _ in range(5):
        made = await create(media)
        answers = await asyncio.gather(
            put(media, made, photo()), media.call("DELETE", f"/products/{made['id']}")
        )
        assert answers[0].status in {200, 404}
        assert answers[1].status == 204
    assert await stored_pictures(files, media_dsn) == set()


async def test_product_deletion_waiting_for_photo_put_removes_its_photo(
    media: MediaClient, media_dsn: str, files: Path
) -> None:
    made = await create(media)
    async with open_database(media_dsn) as database:
        async with database.transaction() as connection:
            old = await repository.find_photo(connection, made["id"], media.user_id)
            assert old is not None
            assert await repository.detach_photo(connection, made["id"], media.user_id)
            await repository.attach_photo(connection, made["id"], replace(old, id=uuid4()))
            deletion = asyncio.create_task(media.call("DELETE", f"/products/{made['id']}"))
            async with database.connection() as other, asyncio.timeout(10):
                while not await other.fetchval(WAITING):
                    await asyncio.sleep(0.01)
        assert (await deletion).status == 204
    assert await stored_pictures(files, media_dsn) == set()


async def test_photo_put_on_another_users_product_is_404(media: MediaClient, files: Path) -> None:
    made = await create(media)
    before = files_below(files)
    for product in (made, {"id": "PR-000000000000"}):
        refused = await put(media.as_other_user(), product, photo())
        assert (refused.status, refused.code) == (404, "not_found")
    assert files_below(files) == before


async def test_product_deleted_removes_photo_and_files(
    media: MediaClient, files: Path, media_dsn: str
) -> None:
    made = await create(media)
    assert (await media.call("DELETE", f"/products/{made['id']}")).status == 204
    assert (await view(media, made)).code == "not_found"
    assert await stored_pictures(files, media_dsn) == set()


REFUSED: list[tuple[int, str, tuple[bytes, ...]]] = [
    (415, "unsupported_image", (photo(b"no picture"), *FIELDS)),
    (422, "broken_image", (photo(PICTURE[:100]), *FIELDS)),
    (422, "validation_failed", (photo(), *FIELDS[1:])),
    (422, "validation_failed", (photo(), photo(), *FIELDS)),
    (422, "validation_failed", (photo(), *FIELDS, part("colour", "red"))),
    (422, "validation_failed", (photo(), *FIELDS, part("scheduled_at", "2026-01-01"))),
    (422, "validation_failed", (FIELDS[0], FIELDS[2], part("price", "4.99"))),
    (422, "validation_failed", (FIELDS[0], FIELDS[2], part("price", "-1"))),
    (422, "validation_failed", (FIELDS[0], FIELDS[2], part("price", " 1"))),
    (422, "validation_failed", (FIELDS[0], FIELDS[2], part("price", "१२"))),
    (422, "validation_failed", (FIELDS[0], FIELDS[2], part("price", "9" * 5000))),
    (422, "validation_failed", (FIELDS[0], FIELDS[2], part("price", ""))),
    (422, "validation_failed", (*FIELDS, part("description", "x" * 4001))),
    (422, "validation_failed", (*FIELDS, part("description", "x" * 17_000))),
    (422, "validation_failed", (*FIELDS, part("visibility", "friends"))),
    (422, "validation_failed", (*FIELDS, part("description", b"\xff"))),
]


async def test_product_form_invalid_is_refused_and_keeps_nothing(
    media: MediaClient, files: Path
) -> None:
    for status, code, parts in REFUSED:
        refused = await send(media, *parts)
        assert (refused.status, refused.code) == (status, code), refused.body
    assert (await media.call("GET", "/products")).body["items"] == []
    assert files_below(files) == []


async def test_photo_put_invalid_is_refused_and_keeps_the_old_photo(media: MediaClient) -> None:
    made = await create(media)
    cases: list[tuple[int, str, tuple[bytes, ...]]] = [
        (422, "validation_failed", ()),
        (415, "unsupported_image", (photo(b"no picture"),)),
        (422, "broken_image", (photo(PICTURE[:100]),)),
        (422, "validation_failed", (photo(), part("name", "x"))),
        (422, "validation_failed", (part("file", PICTURE),)),
    ]
    for status, code, parts in cases:
        refused = await put(media, made, *parts)
        assert (refused.status, refused.code) == (status, code), refused.body
    other = await put(media, made, photo(), **{"Content-Type": "image/jpeg"})
    assert (other.status, other.code) == (415, "unsupported_media_type")
    assert (await media.call("GET", f"/products/{made['id']}")).body == made
    assert (await view(media, made)).status == 200


async def test_photo_counts_for_quota_and_replacement_needs_only_its_growth(
    serving_media: Callable[..., Any],
) -> None:
    async with serving_media() as media:
        made = await create(media)
        variants = ("original", "preview", "thumb")
        path = f"/products/{made['id']}/photo?variant="
        files = [await media.call("GET", path + variant) for variant in variants]
        size = sum(int(file.headers["Content-Length"]) for file in files)
    async with serving_media(user_quota_bytes=size) as other:
        media = other.as_other_user()
        made = await create(media)
        assert (await send(media, photo(), *FIELDS)).code == "quota_exceeded"
        assert (await send(media, *FIELDS)).status == 201, "it takes no room"
        assert (await put(media, made, photo())).status == 200
        assert (
            await put(media, made, photo(encode("JPEG", (900, 900), quality=95)))
        ).code == "quota_exceeded"
        assert (await view(media, made)).status == 200
        await media.call("DELETE", f"/products/{made['id']}")
        assert (await send(media, photo(), *FIELDS)).status == 201


@pytest.mark.parametrize("with_photo", [True, False])
async def test_product_idempotency_key_with_other_boundary_creates_one(
    media: MediaClient, with_photo: bool
) -> None:
    async def send_keyed(number: int, *more: bytes) -> Answer:
        boundary = f"boundary-{number}"
        headers = {
            "Idempotency-Key": "k",
            "Content-Type": f"multipart/form-data; boundary={boundary}",
        }
        body = form(*([photo()] if with_photo else []), *FIELDS, *more)
        data = body.replace(b"frontier", boundary.encode())
        while True:
            answer = await media.call("POST", "/products", data=BytesIO(data), headers=headers)
            if answer.status != 409:
                return answer
            await asyncio.sleep(0.01)

    answers = await asyncio.gather(*(send_keyed(number) for number in range(20)))
    assert {answer.status for answer in answers} == {201}
    assert len({str(answer.body) for answer in answers}) == 1
    assert len((await media.call("GET", "/products")).body["items"]) == 1
    assert (await send_keyed(1, part("description", "x"))).code == "idempotency_mismatch"
