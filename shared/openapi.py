"""Routes as data: one description mounts a handler, documents it and lists it for the tests."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from apispec import APISpec
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from shared import errors as e
from shared.credentials import ACCESS, CSRF, CSRF_HEADER, SAFE_METHODS

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
HANDLER_SECONDS = 30.0
BEARER = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "`Authorization: Bearer` and the access token; cookies then count for nothing",
}
COOKIE = {
    "type": "apiKey",
    "in": "cookie",
    "name": ACCESS,
    "description": 'for browsers, which sign in with `"transport": "cookie"`. Every change then '
    f"needs `{CSRF_HEADER}` with the value of the cookie `{CSRF}`; refreshing and signing out need "
    "an `Origin` equal to `PUBLIC_URL`'s, which browsers send by themselves",
}
_UUID = {"type": "string", "format": "uuid"}
_NO_ERRORS: tuple[type[e.DomainError], ...] = ()


@dataclass(frozen=True, slots=True)
class Content:
    """An answer that is no JSON model: its media type and what it is."""

    media_type: str
    description: str


Answer = type[BaseModel] | Content | None


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path.

    `auth`: needs a signed-in user, checked before the handler runs; `role`: with this role.
    `reads_token`: the handler checks the token by itself, and takes one that is revoked;
    `takes_token`: it needs none, but shows more with one. `reads_cookies`: it looks at cookies.
    `deadline`: seconds, or None where the handler has a clock of its own. `body_type`: the media
    type of `body`, which may be left out where it is not `body_required`; `other_bodies` are taken
    too, by media type. `headers`: what the route reads, and whether it must be there.
    `id_pattern`: what ids in the path look like that are no UUIDs.
    """

    method: str
    path: str
    handler: Handler
    tag: str
    summary: str
    answers: Mapping[int, Answer]
    body: type[BaseModel] | None = None
    body_type: str = "application/json"
    body_required: bool = True
    other_bodies: Mapping[str, type[BaseModel]] = field(default_factory=dict)
    id_pattern: str | None = None
    query: type[BaseModel] | None = None
    headers: Mapping[str, bool] = field(default_factory=dict)
    errors: tuple[type[e.DomainError], ...] = _NO_ERRORS
    auth: bool = True
    role: str | None = None
    reads_token: bool = False
    reads_cookies: bool = False
    takes_token: bool = False
    deadline: float | None = HANDLER_SECONDS

    @property
    def needs_token(self) -> bool:
        """Whether the answer depends on an access token."""
        return self.auth or self.reads_token

    @property
    def looks_at_credentials(self) -> bool:
        """Whether what is answered depends on who asks."""
        return self.needs_token or self.takes_token or self.reads_cookies

    def refusals(self) -> list[type[e.DomainError]]:
        """Return every error that the answer may be, the common ones included."""
        common: list[type[e.DomainError]] = [e.ServiceUnavailable, e.MalformedRequest]
        if self.needs_token:
            common += [e.TokenMissing, e.TokenInvalid]
        if self.looks_at_credentials and self.method not in SAFE_METHODS:
            common += [e.CsrfFailed]
        if self.takes_token:
            common += [e.TokenInvalid]
        if self.auth or self.takes_token:
            common += [e.TokenRevoked]
        if self.role:
            common += [e.Forbidden]
        if self.body:
            common += [e.BodyTooLarge, e.UnsupportedMediaType, e.ValidationFailed, e.RequestTimeout]
            common += [e.MalformedJson] if self.body_type == "application/json" else []
        if self.query:
            common += [e.ValidationFailed]
        if "{" in self.path:
            common += [e.NotFound]
        return list(dict.fromkeys([*common, *self.errors]))


@dataclass(slots=True, eq=False)
class Routes:
    """The operations of one feature, in the order in which they are written; itself alone."""

    tag: str
    operations: list[Operation] = field(default_factory=list)

    def add(
        self, method: str, path: str, *, summary: str, answers: Mapping[int, Answer], **more: Any
    ) -> Callable[[Handler], Handler]:
        """Describe the handler below: `@routes.add("GET", "/me", summary=…, answers={200: User})`.

        Further keywords are `Operation`'s fields.
        """

        def register(handler: Handler) -> Handler:
            self.operations.append(
                Operation(method, path, handler, self.tag, summary, answers, **more)
            )
            return handler

        return register


def build_document(title: str, prefix: str, operations: Iterable[Operation]) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of these operations, from the models that validate."""
    listed = list(operations)
    spec = APISpec(title=title, version="1", openapi_version="3.1.0")
    _add_schemas(spec, listed)
    spec.components.security_scheme("bearer", BEARER)
    spec.components.security_scheme("cookie", COOKIE)
    for operation in listed:
        spec.path(
            prefix + operation.path, operations={operation.method.lower(): _describe(operation)}
        )
    return spec.to_dict()


def _add_schemas(spec: APISpec, operations: list[Operation]) -> None:
    bodies = {op.body for op in operations if op.body}
    bodies |= {body for op in operations for body in op.other_bodies.values()}
    answers = {
        answer for op in operations for answer in op.answers.values() if isinstance(answer, type)
    }
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
    errors: list[FieldProblem] | None = None


def _describe(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "tags": [operation.tag],
        "summary": operation.summary,
        "operationId": operation.handler.__name__,
        "responses": {
            **{str(status): _answer(status, a) for status, a in operation.answers.items()},
            **_refusals(operation),
        },
    }
    if operation.needs_token:
        described["security"] = [{"bearer": []}, {"cookie": []}]
    if operation.takes_token:
        described["security"] = [{"bearer": []}, {"cookie": []}, {}]
    if operation.body:
        described["requestBody"] = {
            "required": operation.body_required,
            "content": {
                kind: {"schema": _ref(model)}
                for kind, model in {
                    operation.body_type: operation.body,
                    **operation.other_bodies,
                }.items()
            },
        }
    if parameters := _parameters(operation):
        described["parameters"] = parameters
    return described


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def _answer(status: int, answer: Answer) -> dict[str, Any]:
    if answer is None:
        return {
            "description": "Done; no body" if status == web.HTTPNoContent.status_code else "No body"
        }
    if isinstance(answer, Content):
        return {"description": answer.description, "content": {answer.media_type: {}}}
    lines = (answer.__doc__ or answer.__name__).strip().splitlines()
    return {"description": lines[0], "content": {"application/json": {"schema": _ref(answer)}}}


def _refusals(operation: Operation) -> dict[str, Any]:
    by_status: dict[int, list[str]] = {}
    for error in operation.refusals():
        by_status.setdefault(error.status, []).append(error.code)
    return {
        str(status): {
            "description": " or ".join(f"`{code}`" for code in codes),
            "content": {"application/problem+json": {"schema": _ref(Problem)}},
        }
        for status, codes in sorted(by_status.items())
    }


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    return [
        *_path_parameters(operation.path, operation.id_pattern),
        *_query_parameters(operation.query),
        *_header_parameters(operation.headers),
    ]


def _header_parameters(headers: Mapping[str, bool]) -> list[dict[str, Any]]:
    schema = {"type": "string", "minLength": 1}
    return [
        {"name": name, "in": "header", "required": required, "schema": schema}
        for name, required in headers.items()
    ]


def _path_parameters(path: str, id_pattern: str | None) -> list[dict[str, Any]]:
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    schema = {"type": "string", "pattern": id_pattern} if id_pattern else _UUID
    return [{"name": n, "in": "path", "required": True, "schema": schema} for n in names]


def _query_parameters(query: type[BaseModel] | None) -> list[dict[str, Any]]:
    if query is None:
        return []
    schema = query.model_json_schema()
    required, defined = schema.get("required", []), schema.get("$defs", {})
    return [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            "schema": _inlined(shape, defined),
        }
        for name, shape in schema["properties"].items()
    ]


def _inlined(shape: Any, defined: Mapping[str, Any]) -> Any:
    """Return the schema with its references replaced: a parameter has no place for definitions."""
    if isinstance(shape, list):
        return [_inlined(item, defined) for item in shape]
    if not isinstance(shape, dict):
        return shape
    rest = {name: _inlined(item, defined) for name, item in shape.items() if name != "$ref"}
    target = defined[shape["$ref"].rpartition("/")[2]] if "$ref" in shape else {}
    return {**_inlined(target, defined), **rest} if target else rest
