"""The OpenAPI document: made of the same models that validate, and free of loose ends."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from auth_service.app import interface
from media_service.app import INTERFACE as MEDIA
from shared.application import Interface
from shared.errors import Conflict, DomainError
from shared.openapi import Content, Operation, Routes
from shared.openapi_document import build_document

SERVICES = [interface(development=True), MEDIA]


class Inner(BaseModel):
    """Something inside."""

    value: int


class Body(BaseModel):
    """What is sent."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=5, description="a name")
    inner: Inner | None = None


class Query(BaseModel):
    """Which."""

    limit: int = Field(50, ge=1, le=200)
    day: str


async def handle(request: web.Request) -> web.StreamResponse:
    return web.json_response({"path": request.path})


def operation(**changes: Any) -> Operation:
    values: dict[str, Any] = {
        "method": "POST",
        "path": "/things",
        "handler": handle,
        "tag": "things",
        "summary": "Make a thing",
        "answers": {201: Inner},
    }
    return Operation(**(values | changes))


def described(**changes: Any) -> Any:
    made = operation(**changes)
    document = build_document("T", "/v1", [made])
    return document["paths"][f"/v1{made.path}"][made.method.lower()]


def codes(found: Operation) -> set[str]:
    return {error.code for error in found.possible_errors()}


def test_guarded_operation_documents_security_and_token_errors() -> None:
    assert described()["security"] == [{"bearer": []}, {"cookie": []}]
    assert {"token_missing", "token_invalid", "token_revoked"} <= codes(operation())
    open_to_all = operation(auth=False)
    assert "security" not in described(auth=False)
    assert codes(open_to_all) == {"service_unavailable", "malformed_request"}


def test_operation_with_body_documents_body_errors() -> None:
    more = codes(operation(body=Body)) - codes(operation())
    assert more == {
        "body_too_large",
        "unsupported_media_type",
        "validation_failed",
        "request_timeout",
        "malformed_json",
    }
    form = operation(body=Body, body_type="multipart/form-data")
    assert "malformed_json" not in codes(form)
    assert list(described(body=Body)["requestBody"]["content"]) == ["application/json"]


def test_operation_with_id_or_query_documents_their_errors() -> None:
    assert codes(operation(path="/things/{id}")) - codes(operation()) == {"not_found"}
    assert codes(operation(query=Query)) - codes(operation()) == {"validation_failed"}
    shown = described(path="/things/{id}", query=Query)["parameters"]
    assert [(p["name"], p["in"], p["required"]) for p in shown] == [
        ("id", "path", True),
        ("limit", "query", False),
        ("day", "query", True),
    ]
    assert shown[1]["schema"]["maximum"] == 200


def test_operation_errors_of_one_status_share_a_response() -> None:
    class Taken(Conflict):
        """Somebody was first."""

        code = "taken"

    class TakenTwice(Taken):
        """Somebody was second, too."""

    answers = described(errors=(Taken, Conflict, TakenTwice, Taken))["responses"]
    assert answers["409"]["description"] == "`taken` or `conflict`"
    assert list(answers["409"]["content"]) == ["application/problem+json"]


def test_operation_responses_hold_model_bytes_or_no_body() -> None:
    answers = described(
        answers={200: Inner, 206: Content("image/*", "Bytes"), 204: None, 304: None}
    )
    responses = answers["responses"]
    assert responses["200"] == {
        "description": "Something inside.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Inner"}}},
    }
    assert described()["responses"]["201"]["description"] == "Created: Something inside."
    assert responses["206"] == {"description": "Bytes", "content": {"image/*": {}}}
    assert responses["204"] == {"description": "Done; no body"}
    assert responses["304"] == {"description": "No body"}


def test_routes_keep_their_order() -> None:
    routes = Routes("things")
    assert routes.add("GET", "/b", summary="B", answers={200: Inner})(handle) is handle
    routes.add("GET", "/a", summary="A", answers={200: Inner}, auth=False)(handle)
    assert [(o.path, o.tag, o.auth) for o in routes.operations] == [
        ("/b", "things", True),
        ("/a", "things", False),
    ]


def references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(target := value.get("$ref"), str):
            yield target
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.prefix)
def test_document_references_resolve(service: Interface) -> None:
    document = service.document()
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert document["openapi"] == "3.1.0"
    assert set(references(document)) <= known


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.prefix)
def test_document_operation_ids_are_unique(service: Interface) -> None:
    names = [found.handler.__name__ for found in service.operations]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.prefix)
def test_document_lists_every_operation(service: Interface) -> None:
    paths = service.document()["paths"]
    listed = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    assert listed == {(o.method, service.prefix + o.path) for o in service.operations}


def test_error_codes_mean_the_same_in_both_services() -> None:
    """But for two statuses.

    A wrong password is a 403 in a session. A passkey's response is a 422, but a 401 alone.
    """
    meanings: dict[tuple[str, int], type[DomainError]] = {}
    for service in SERVICES:
        for found in service.operations:
            for error in found.possible_errors():
                known = meanings.setdefault((error.code, error.status), error)
                assert known.title == error.title, error.code
                assert error.code.isascii()
                assert error.code.replace("_", "").islower()
    statuses = Counter(code for code, _ in meanings)
    several = {code for code, count in statuses.items() if count > 1}
    assert several == {"invalid_credentials", "credential_invalid"}
