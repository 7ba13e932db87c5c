"""The OpenAPI 3.1 document of a service, made from its operations and their models."""

from collections.abc import Iterable, Mapping
from typing import Any

from aiohttp import web
from apispec import APISpec
from pydantic import BaseModel, Field
from pydantic.json_schema import models_json_schema

from shared.credentials import ACCESS_COOKIE, CSRF_COOKIE, CSRF_HEADER
from shared.openapi import Answer, Content, Operation

BEARER = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "`Authorization: Bearer` and the access token; cookies then count for nothing",
}
COOKIE = {
    "type": "apiKey",
    "in": "cookie",
    "name": ACCESS_COOKIE,
    "description": 'for browsers, which sign in with `"transport": "cookie"`. Every change then '
    f"needs `{CSRF_HEADER}` with `csrf` of the sign-in's answer, as the cookie `{CSRF_COOKIE}` has "
    "it; refreshing and signing out need the `Origin` of `PUBLIC_URL` or one of `CORS_ORIGINS`, "
    "which browsers send by themselves",
}
_HEADERS = {
    "If-Match": 'the version that is to be changed, as `"3"`: its `ETag`; `*` for whichever it is',
    "Idempotency-Key": "1 to 255 printable ASCII characters; repeat the request with the same key, "
    "and it is done once",
}
_UUID = {"type": "string", "format": "uuid"}


def build_document(title: str, prefix: str, operations: Iterable[Operation]) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of these operations, from the models that validate."""
    listed = list(operations)
    spec = APISpec(title=title, version="1", openapi_version="3.1.0")
    _add_schemas(spec, listed)
    spec.components.security_scheme("bearer", BEARER)
    spec.components.security_scheme("cookie", COOKIE)
    for operation in listed:
        spec.path(
            prefix + operation.path,
            operations={operation.method.lower(): _describe_operation(operation)},
        )
    return spec.to_dict()


def _add_schemas(spec: APISpec, operations: list[Operation]) -> None:
    bodies = {body for op in operations for body in (op.body, *op.other_bodies.values()) if body}
    answers = {one for op in operations for one in op.answers.values() if isinstance(one, type)}
    _, schemas = models_json_schema(
        [(model, "validation") for model in sorted(bodies, key=lambda m: m.__name__)]
        + [
            (model, "serialization")
            for model in sorted(answers | {Problem}, key=lambda m: m.__name__)
        ],
        ref_template="#/components/schemas/{model}",
    )
    for name, schema in schemas["$defs"].items():
        spec.components.schema(name, schema)


class FieldProblem(BaseModel):
    """One thing wrong with one field."""

    field: str
    code: str
    message: str


class Problem(BaseModel):
    """An RFC 9457 problem, as every error is answered."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    retry_after: int | None = None
    current_version: int | None = Field(None, description="with `version_mismatch`")
    limit: str | None = Field(None, description="with `rate_limited`: the setting of its number")
    errors: list[FieldProblem] | None = None
    altcha: dict[str, Any] | None = Field(
        None, description="with `proof_required`: the challenge to solve (ALTCHA, version 2)"
    )
    methods: list[str] | None = Field(
        None, description="with `mfa_required`: the ways to prove a second factor"
    )
    mfa_ticket: str | None = Field(
        None,
        description="with `mfa_required` of a sign-in: for /mfa/verify; with "
        "`mfa_enrolment_required`: for the routes that add a factor",
    )
    challenge: str | None = Field(
        None, description="with `mfa_required` of a step-up: to send back with a passkey's response"
    )
    public_key: dict[str, Any] | None = Field(
        None, description="with `challenge`: the options for a browser or an app"
    )
    channel: str | None = Field(
        None,
        description="with `mfa_enrolment_required` after a password: `sms` or `email`, by which a "
        "code was sent",
    )
    expires_in: int | None = Field(None, description="with `mfa_ticket`: its life in seconds")


def _describe_operation(operation: Operation) -> dict[str, Any]:
    answers = {str(code): _describe_response(code, one) for code, one in operation.answers.items()}
    described: dict[str, Any] = {
        "tags": [operation.tag],
        "summary": operation.summary,
        "operationId": operation.handler.__name__,
        "responses": answers | _describe_errors(operation),
    }
    if operation.needs_token:
        described["security"] = [{"bearer": []}, {"cookie": []}]
    if operation.takes_token:
        described["security"] = [{"bearer": []}, {"cookie": []}, {}]
    if operation.body:
        bodies = {operation.body_type: operation.body, **operation.other_bodies}
        described["requestBody"] = {
            "required": operation.body_required,
            "content": {kind: {"schema": _ref(model)} for kind, model in bodies.items()},
        }
    if parameters := _parameters(operation):
        described["parameters"] = parameters
    return described


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def _describe_response(status: int, answer: Answer) -> dict[str, Any]:
    if answer is None:
        return {
            "description": "Done; no body" if status == web.HTTPNoContent.status_code else "No body"
        }
    if isinstance(answer, Content):
        return {"description": answer.description, "content": {answer.media_type: {}}}
    line = (answer.__doc__ or answer.__name__).strip().splitlines()[0]
    description = f"Created: {line}" if status == web.HTTPCreated.status_code else line
    return {"description": description, "content": {"application/json": {"schema": _ref(answer)}}}


def _describe_errors(operation: Operation) -> dict[str, Any]:
    by_status: dict[int, list[str]] = {}
    for error in operation.possible_errors():
        by_status.setdefault(error.status, []).append(error.code)
    return {
        str(status): {
            "description": " or ".join(f"`{code}`" for code in dict.fromkeys(codes)),
            "content": {"application/problem+json": {"schema": _ref(Problem)}},
        }
        for status, codes in sorted(by_status.items())
    }


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    pattern = {"type": "string", "pattern": operation.id_pattern}
    identifier = pattern if operation.id_pattern else _UUID
    names = [part[1:-1] for part in operation.path.split("/") if part.startswith("{")]
    query = operation.query.model_json_schema() if operation.query else {}
    required, defined = query.get("required", []), query.get("$defs", {})
    header = {"type": "string", "minLength": 1}
    return [
        *(_parameter("path", name, identifier, required=True) for name in names),
        *(
            _parameter("query", name, _inline_references(shape, defined), required=name in required)
            for name, shape in query.get("properties", {}).items()
        ),
        *(
            _parameter("header", name, {**header, "description": _HEADERS[name]}, required=needed)
            for name, needed in operation.headers.items()
        ),
    ]


def _parameter(place: str, name: str, schema: Any, *, required: bool) -> dict[str, Any]:
    return {"name": name, "in": place, "required": required, "schema": schema}


def _inline_references(shape: Any, defined: Mapping[str, Any]) -> Any:
    """Return the schema with its references replaced: a parameter has no place for definitions."""
    if isinstance(shape, list):
        return [_inline_references(item, defined) for item in shape]
    if not isinstance(shape, dict):
        return shape
    rest = {
        name: _inline_references(item, defined) for name, item in shape.items() if name != "$ref"
    }
    target = defined[shape["$ref"].rpartition("/")[2]] if "$ref" in shape else {}
    return {**_inline_references(target, defined), **rest} if target else rest
