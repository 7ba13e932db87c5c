"""Routes as data: one description mounts a handler, documents it and lists it for the tests."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TypedDict, Unpack

from aiohttp import web
from pydantic import BaseModel

from shared import errors as e
from shared.credentials import SAFE_METHODS

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
HANDLER_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Content:
    """An answer without a JSON model: its media type and a description."""

    media_type: str
    description: str


Answer = type[BaseModel] | Content | None


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path.

    `auth`: needs a signed-in user, checked before the handler runs; `role`: with this role.
    `reads_token`: the handler checks the token itself, and accepts a revoked one. `takes_token`:
    a token is optional, and the answer shows more with one. `reads_cookies`: it reads cookies.
    `deadline`: seconds, or None where the handler has its own. `body_type`: the media type of
    `body`, which may be absent unless `body_required`. `other_bodies`: further models by media
    type. `headers`: the request headers that it reads, and whether each is required.
    `id_pattern`: the form of ids in the path, UUIDs by default. `counts_as_write`: whether it
    counts towards a user's limits, by default each change of a signed-in user.
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
    errors: tuple[type[e.DomainError], ...] = ()
    auth: bool = True
    role: str | None = None
    reads_token: bool = False
    reads_cookies: bool = False
    takes_token: bool = False
    deadline: float | None = HANDLER_SECONDS
    counts_as_write: bool | None = None

    @property
    def counts_towards_limits(self) -> bool:
        """Return whether a service that limits its users' changes counts this one."""
        if self.counts_as_write is not None:
            return self.counts_as_write
        return self.auth and self.method not in SAFE_METHODS

    @property
    def needs_token(self) -> bool:
        """Return whether the answer depends on an access token."""
        return self.auth or self.reads_token

    @property
    def depends_on_credentials(self) -> bool:
        """Return whether the answer depends on the caller's credentials."""
        return self.needs_token or self.takes_token or self.reads_cookies

    def possible_errors(self) -> list[type[e.DomainError]]:
        """Return every error that the operation may answer, common ones included."""
        common: list[type[e.DomainError]] = [e.ServiceUnavailable, e.MalformedRequest]
        if self.needs_token:
            common += [e.TokenMissing, e.TokenInvalid]
        if self.depends_on_credentials and self.method not in SAFE_METHODS:
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


class OperationOptions(TypedDict, total=False):
    """The optional fields of `Operation`."""

    body: type[BaseModel]
    body_type: str
    body_required: bool
    other_bodies: Mapping[str, type[BaseModel]]
    id_pattern: str
    query: type[BaseModel]
    headers: Mapping[str, bool]
    errors: tuple[type[e.DomainError], ...]
    auth: bool
    role: str | None
    reads_token: bool
    reads_cookies: bool
    takes_token: bool
    deadline: float | None
    counts_as_write: bool


@dataclass(slots=True, eq=False)
class Routes:
    """The operations of one feature, in source order.

    `prefix`: begins the path of each; `role`: each needs it, unless it names another.
    """

    tag: str
    prefix: str = ""
    role: str | None = None
    operations: list[Operation] = field(default_factory=list)

    def add(
        self,
        method: str,
        path: str,
        *,
        summary: str,
        answers: Mapping[int, Answer],
        **options: Unpack[OperationOptions],
    ) -> Callable[[Handler], Handler]:
        """Describe the handler below: `@routes.add("GET", "/", summary=…, answers={200: User})`."""
        options.setdefault("role", self.role)

        def register(handler: Handler) -> Handler:
            place = (method, self.prefix + path, handler, self.tag, summary, answers)
            self.operations.append(Operation(*place, **options))
            return handler

        return register
