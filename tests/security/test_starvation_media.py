"""What one signed-in user can take of media_service's time by changes.

Attack: 1,900 PATCHes of one product in 8 s. All of them were stored.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from media_service.app import INTERFACE
from media_service.settings import MediaSettings
from shared.credentials import SAFE_METHODS
from shared.openapi import Operation
from tests.conftest import AUDIENCE, ISSUER
from tests.support.auth_client import Answer, read
from tests.support.clock import MovableClock
from tests.support.media_client import MEDIA, MediaClient, files_below, picture_form
from tests.support.tokens import Mint

SIGNED_IN = [one for one in INTERFACE.operations if one.auth]
CHANGES = [one for one in SIGNED_IN if one.method not in SAFE_METHODS]
LAMP = {"name": "Lamp", "price": 1, "currency": "EUR"}
SHOWN = "5" * 64

Serve = Callable[..., Any]


async def ask(media: MediaClient, operation: Operation) -> Answer:
    """Send a request with nothing but a token."""
    path = operation.path.replace("{id}", str(uuid4())).replace("{did}", str(uuid4()))
    return await media.call(operation.method, path)


async def change(media: MediaClient) -> Answer:
    """Ask for a change of a product that does not exist, which counts like any other."""
    return await media.call("PATCH", f"/products/{uuid4()}", json={"price": 2})


def check_limited(answer: Answer) -> None:
    assert (answer.status, answer.code) == (429, "rate_limited"), answer.body
    assert answer.body["limit"] == "LIMIT_CHANGES_PER_USER"
    assert answer.body["retry_after"] >= 1
    assert answer.headers["Retry-After"] == str(answer.body["retry_after"])


def test_media_changing_routes_are_all_counted() -> None:
    """A new route is limited without being listed; nothing here ends a thief's access."""
    assert [one for one in INTERFACE.operations if one.counts_towards_limits] == CHANGES
    assert len(CHANGES) >= 8


def test_media_open_routes_are_safe_methods() -> None:
    """What anybody may ask for has no user to be counted for."""
    methods = {one.method for one in INTERFACE.operations if not one.auth}
    assert methods <= SAFE_METHODS


async def test_media_change_full_limit_is_refused_on_every_route(serving_media: Serve) -> None:
    async with serving_media(limit_changes_per_user="1/hour") as media:
        assert (await change(media)).status == 404
        for operation in CHANGES:
            check_limited(await ask(media, operation))
        for operation in SIGNED_IN:
            if operation not in CHANGES:
                assert (await ask(media, operation)).status != 429
        assert (await change(media.as_other_user())).status == 404


async def test_media_change_counts_whatever_its_status(serving_media: Serve) -> None:
    async with serving_media(limit_changes_per_user=f"{len(CHANGES)}/hour") as media:
        for operation in CHANGES:
            assert (await ask(media, operation)).status not in {401, 403, 429}
        check_limited(await change(media))


async def test_media_upload_beyond_the_limit_stores_nothing(
    serving_media: Serve, files: Path
) -> None:
    async with serving_media(limit_changes_per_user="1/hour") as media:
        await change(media)
        before = files_below(files)
        check_limited(await media.send(picture_form()))
        assert files_below(files) == before


async def test_media_simultaneous_changes_pass_up_to_the_limit(serving_media: Serve) -> None:
    async with serving_media(limit_changes_per_user="5/hour") as media:
        answers = await asyncio.gather(*(change(media) for _ in range(40)))
    assert sorted(answer.status for answer in answers) == [404] * 5 + [429] * 35


async def test_media_change_after_retry_after_is_accepted(
    serving_media: Serve, clock: MovableClock
) -> None:
    async with serving_media(limit_changes_per_user="2/minute") as media:
        assert [(await change(media)).status for _ in range(3)] == [404, 404, 429]
        refused = await change(media)
        assert refused.body["retry_after"] <= 60
        later = await media.wait_out(clock, seconds=refused.body["retry_after"])
        assert (await change(later)).status == 404


async def test_media_sessions_of_one_user_share_the_limit(serving_media: Serve) -> None:
    async with serving_media(limit_changes_per_user="2/hour") as media:
        again = replace(media, token=media.mint.token(media.user_id))
        assert [(await change(one)).status for one in (media, again)] == [404, 404]
        check_limited(await change(media))
        check_limited(await change(again))
        csrf = media.mint.token(media.user_id, csrf=SHOWN)
        check_limited(await change_by_cookie(media, csrf, SHOWN))


async def test_media_unauthenticated_request_is_not_counted(serving_media: Serve) -> None:
    """Nobody uses up another's limit: a forged or unproven request is not counted."""
    forger = Mint(Ed25519PrivateKey.generate(), ISSUER, AUDIENCE)
    async with serving_media(limit_changes_per_user="1/hour") as media:
        forged = replace(media, token=forger.token(media.user_id))
        token = media.mint.token(media.user_id, csrf=SHOWN)
        for _ in range(3):
            assert (await change(forged)).status == 401
            assert (await change_by_cookie(media, token, "6" * 64)).code == "csrf_failed"
        assert (await change(media)).status == 404


async def change_by_cookie(media: MediaClient, token: str, shown: str) -> Answer:
    headers = {"Cookie": f"__Host-access={token}", "Origin": ISSUER, "X-CSRF-Token": shown}
    url = f"{MEDIA}/products/{uuid4()}"
    async with media.http.patch(url, json={"price": 2}, headers=headers) as answer:
        return await read(answer)


async def test_media_default_limit_refuses_a_flood(serving_media: Serve) -> None:
    extra = MediaSettings.model_fields["limit_changes_per_user"].json_schema_extra
    assert isinstance(extra, dict)
    async with serving_media(limit_changes_per_user=extra["written"]) as media:
        product = (await media.call("POST", "/products", json=LAMP)).body
        path = f"/products/{product['id']}"
        answers = [await media.call("PATCH", path, json={"price": n}) for n in range(1, 140)]
        assert [answer.status for answer in answers] == [200] * 119 + [429] * 20
        stored = (await media.call("GET", path)).body
        assert stored["version"] == product["version"] + 119
