"""Things of other users, tried on every route that names one: as if they were not there."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

from tests.contract.conftest import Services
from tests.contract.test_route_table import ALICE, BOB, FOR_A_ROLE, ROUTES
from tests.support.media_client import FORM, form, part, picture_form
from tests.support.pictures import encode

PRODUCT = {"name": "Lamp", "price": "1", "currency": "EUR", "visibility": "hidden"}
FACTORS = ("/me/factors/", "/me/remembered-devices/")
"""tests/auth/test_totp.py and tests/security/test_passkey_factors.py say whose these are."""
WITH_ID = [
    route
    for route in ROUTES
    if "{id}" in route.operation.path
    and route.operation.role is None
    and not route.operation.path.startswith(FACTORS)
]


async def create_session(services: Services, token: str) -> str:
    """Another session of Alice's."""
    await services.auth.sign_in(ALICE)
    listed = await services.auth.call("GET", "/sessions", token=token)
    return str(next(item["id"] for item in listed.body["items"] if not item["current"]))


async def create_creative(services: Services, token: str) -> str:
    answer = await services.call(
        "/v1/media", "POST", "/creatives", token, data=picture_form(), headers=FORM
    )
    assert answer.status == 201, answer.body
    return str(answer.body["id"])


async def create_product(services: Services, token: str) -> str:
    """A hidden product with a photo: of a visible one others may see both."""
    parts = [part(name, value) for name, value in PRODUCT.items()]
    answer = await services.call(
        "/v1/media",
        "POST",
        "/products",
        token,
        data=form(part("photo", encode()), *parts),
        headers=FORM,
    )
    assert answer.status == 201, answer.body
    return str(answer.body["id"])


async def create_webhook(services: Services, token: str) -> str:
    body = {"url": "http://127.0.0.1:1/", "events": ["*"]}
    answer = await services.call("/v1/media", "POST", "/webhooks", token, json=body)
    assert answer.status == 201, answer.body
    return str(answer.body["id"])


async def create_delivery(services: Services, token: str) -> str:
    hook = await create_webhook(services, token)
    answer = await services.call("/v1/media", "POST", f"/webhooks/{hook}/test", token)
    assert answer.status == 202, answer.body
    return f"{hook}/{answer.body['delivery_id']}"


CREATORS: dict[str, Callable[[Services, str], Awaitable[str]]] = {
    "/v1/auth/sessions/{id}": create_session,
    "/v1/media/creatives/{id}": create_creative,
    "/v1/media/creatives/{id}/file": create_creative,
    "/v1/media/products/{id}": create_product,
    "/v1/media/products/{id}/photo": create_product,
    "/v1/media/creatives/{id}/link": create_creative,
    "/v1/media/webhooks/{id}": create_webhook,
    "/v1/media/webhooks/{id}/deliveries": create_webhook,
    "/v1/media/webhooks/{id}/deliveries/{did}/redeliver": create_delivery,
    "/v1/media/webhooks/{id}/redeliver": create_webhook,
    "/v1/media/webhooks/{id}/rotate-secret": create_webhook,
    "/v1/media/webhooks/{id}/test": create_webhook,
}
"""How a thing comes to be that the path names. A route with an id needs an entry."""

Request = dict[str, Any]
REQUESTS: dict[str, Request] = {
    "POST /v1/media/creatives/{id}/link": {"json": {"expires_in": 60}},
    "PATCH /v1/media/creatives/{id}": {"json": {"title": "x"}, "headers": {"If-Match": "*"}},
    "PATCH /v1/media/products/{id}": {"json": {"price": 1}},
    "PATCH /v1/media/webhooks/{id}": {"json": {"status": "disabled"}},
    "POST /v1/media/webhooks/{id}/redeliver": {"json": {"since": "2026-01-01"}},
    "PUT /v1/media/products/{id}/photo": {"data": form(part("photo", encode())), "headers": FORM},
}
"""What a route needs besides its path and the token."""


def test_routes_with_id_have_a_creator_and_a_check() -> None:
    assert {route.prefix + route.operation.path for route in WITH_ID} == set(CREATORS)
    for route in WITH_ID:
        reads = route.needs_token or route.operation.takes_token
        assert reads, f"{route} hands out things to anybody"


async def test_routes_with_id_of_another_user_are_404_and_change_nothing(
    services: Services,
) -> None:
    alice = (await services.auth.sign_in(ALICE))["access_token"]
    bob = (await services.auth.sign_in(BOB))["access_token"]
    for route in WITH_ID:
        create = CREATORS[route.prefix + route.operation.path]
        thing, method = await create(services, alice), route.operation.method
        path = route.path(thing)
        more = REQUESTS.get(str(route), {})
        refused = await services.call(route.prefix, method, path, bob, **more)
        nothing = await services.call(route.prefix, method, route.path(uuid4()), bob, **more)
        assert (refused.status, nothing.status) == (404, 404), str(route)
        if method != "HEAD":
            assert refused.code == nothing.code == "not_found"
            differing = {"request_id"}
            assert {k: v for k, v in refused.body.items() if k not in differing} == {
                k: v for k, v in nothing.body.items() if k not in differing
            }
        its_list = route.operation.path.partition("/{id}")[0]
        listed = await services.call(route.prefix, "GET", its_list, alice)
        assert thing.partition("/")[0] in [item["id"] for item in listed.body["items"]], str(route)
        owners = await services.call(route.prefix, method, path, alice, **more)
        assert owners.status in {200, 202, 204}, str(route)


async def test_lists_hold_nothing_of_another_user(services: Services) -> None:
    alice = (await services.auth.sign_in(ALICE))["access_token"]
    bob = (await services.auth.sign_in(BOB))["access_token"]
    made = [await create(services, alice) for create in set(CREATORS.values())]
    things = [identifier for one in made for identifier in one.split("/")]
    lists = [
        route
        for route in ROUTES
        if route.needs_token
        and route.operation.method == "GET"
        and route not in WITH_ID + FOR_A_ROLE
        and route.operation.path != "/feed"  # of the caller alone: tests/media/test_feeds.py
    ]
    assert len(lists) >= 4
    for route in lists:
        query = "?timezone=UTC" if route.operation.path == "/scheduled" else ""
        answer = await services.call(route.prefix, "GET", route.operation.path + query, bob)
        assert answer.status == 200, answer.body
        assert not [thing for thing in things if thing in str(answer.body)]
