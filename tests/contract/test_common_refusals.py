"""The refusals that all routes share, tried on each route."""

import json
from typing import Any

import pytest

from shared.request import FORM, MAX_JSON_BYTES
from tests.contract.conftest import Services
from tests.contract.test_route_table import ALICE, ROUTES, Route
from tests.support.auth_client import Answer
from tests.support.database import Connection
from tests.support.waiting import until

JSON = "application/json"
NOBODY = "00000000-0000-7000-8000-000000000000"


def takes(route: Route, media_type: str) -> bool:
    operation = route.operation
    main = operation.body_type if operation.body else ""
    return media_type in {main, *operation.other_bodies}


def key(answer: Answer, route: Route) -> object:
    return answer.status if route.operation.method == "HEAD" else answer.code


async def call(services: Services, route: Route, token: str | None = None, **more: Any) -> Answer:
    path = route.path(NOBODY)
    return await services.call(route.prefix, route.operation.method, path, token, **more)


async def administrator(services: Services, database: Connection) -> str:
    """The access token of an administrator, whom no route refuses."""
    await services.auth.sign_in(ALICE)
    await database.execute("update users set roles = '{admin}'")
    return str((await services.auth.sign_in(ALICE))["access_token"])


async def test_guarded_routes_revoked_token_is_401(services: Services) -> None:
    pair = await services.auth.sign_in(ALICE)
    token = pair["access_token"]
    assert (await services.auth.call("POST", "/logout", token=token)).status == 204

    async def known_to_media() -> bool:
        answer = await services.call("/v1/media", "GET", "/creatives", token)
        return answer.status == 401

    await until(known_to_media)
    tried = [one for one in ROUTES if one.operation.auth]
    assert len(tried) >= 30
    for route in tried:
        answer = await call(services, route, token)
        head = route.operation.method == "HEAD"
        assert key(answer, route) == (401 if head else "token_revoked"), str(route)
        assert answer.headers["WWW-Authenticate"].startswith("Bearer "), str(route)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b'{"a": ', 400, "malformed_json"),
        (b'{"a": 1, "a": 2}', 400, "malformed_json"),
        (b"\xff", 400, "malformed_json"),
        (b" " * (MAX_JSON_BYTES + 1), 413, "body_too_large"),
        (b"[]", 422, "validation_failed"),
        (json.dumps({"no such field": 1}).encode(), 422, "validation_failed"),
    ],
    ids=["cut off", "name given twice", "not UTF-8", "too large", "no object", "unknown field"],
)
async def test_json_routes_malformed_body_is_refused(
    services: Services, auth_db: Connection, body: bytes, status: int, code: str
) -> None:
    token = await administrator(services, auth_db)
    tried = [one for one in ROUTES if takes(one, JSON)]
    assert len(tried) >= 15
    headers = {"Content-Type": JSON, "If-Match": '"1"'}
    for route in tried:
        answer = await call(services, route, token, data=body, headers=headers)
        assert (answer.status, answer.code) == (status, code), str(route)


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", FORM, ""])
async def test_routes_other_content_type_is_415(
    services: Services, auth_db: Connection, content_type: str
) -> None:
    token = await administrator(services, auth_db)
    for route in ROUTES:
        operation = route.operation
        if operation.body is None or takes(route, content_type):
            continue
        if route.operation.path == "/callbacks/twilio":
            continue  # absent without an account at Twilio; tests/auth/test_delivery.py has it
        headers = {"Content-Type": content_type, "If-Match": '"1"'}
        answer = await call(services, route, token, data=b"x=1", headers=headers)
        assert (answer.status, answer.code) == (415, "unsupported_media_type"), str(route)


SHARED = {
    "GET /v1/media/products/public",
    "GET /v1/media/products/{id}/photo",
    "GET /v1/media/creatives/{id}/file",
}
"""Users pass these links on, and messengers add parameters to them."""


async def test_routes_unknown_query_parameter_is_422_unless_shared(
    services: Services, auth_db: Connection
) -> None:
    token = await administrator(services, auth_db)
    tried = [one for one in ROUTES if one.operation.query and one.operation.method != "HEAD"]
    assert len(tried) >= 8
    for route in tried:
        answer = await call(services, route, token, params={"no such parameter": "1"})
        if str(route) in SHARED:
            assert answer.status in {200, 404}, str(route)
        else:
            assert (answer.status, answer.code) == (422, "validation_failed"), str(route)
