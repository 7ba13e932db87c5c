"""A service with a few routes, to test `shared` alone.

`python -m tests.support.small_service` serves it as a process, told by the environment.
"""

import asyncio
import time

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from shared.application import Interface, build_application
from shared.client_address import client_address
from shared.entropy import SystemEntropy
from shared.errors import Conflict, TokenInvalid, TokenMissing
from shared.logs import configure_logs
from shared.openapi import Routes
from shared.paging import decode_cursor
from shared.request import (
    path_id,
    read_body,
    read_optional_body,
    read_query,
)
from shared.responses import json_response
from shared.server import run
from shared.settings import ServiceSettings, load_settings
from shared.tokens import parse_bearer_token

PREFIX = "/v1/small"
routes = Routes("things")
LOOKUP_SECONDS = 30
BUSY = web.AppKey("busy", list[str])


class Thing(BaseModel):
    """A thing."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str = Field(max_length=20)
    count: int = Field(1, ge=0, le=1000)
    weight: float = 0
    parts: list[str] = []


class Nothing(BaseModel):
    """No fields at all."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Listing(BaseModel):
    """Which page."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(50, ge=1, le=200)
    cursor: str | None = None


class SharedListing(Listing):
    """Which page of a list that people share."""

    model_config = ConfigDict(extra="ignore")


class Text(BaseModel):
    """Some text."""

    text: str


@routes.add(
    "POST",
    "/things",
    summary="Make",
    body=Thing,
    answers={201: Thing},
    errors=(Conflict,),
    auth=False,
)
async def make(request: web.Request) -> web.Response:
    """Answer with what was sent."""
    return json_response(await read_body(request, Thing), 201)


@routes.add("POST", "/maybe", summary="Maybe", body=Nothing, answers={200: Nothing}, auth=False)
async def maybe(request: web.Request) -> web.Response:
    """Take a body or none."""
    return json_response(await read_optional_body(request, Nothing))


@routes.add("GET", "/things", summary="List", query=Listing, answers={200: Listing}, auth=False)
async def list_things(request: web.Request) -> web.Response:
    """Answer with the query."""
    query = read_query(request, Listing)
    if query.cursor is not None:
        decode_cursor(query.cursor, 2)
    return json_response(query)


@routes.add(
    "GET", "/shown", summary="Show", query=SharedListing, answers={200: Listing}, auth=False
)
async def show_things(request: web.Request) -> web.Response:
    """Answer with the query of a shared link."""
    return json_response(read_query(request, SharedListing))


@routes.add("GET", "/things/{id}", summary="One", answers={200: Text})
async def show(request: web.Request) -> web.Response:
    """Answer with the id."""
    return json_response(Text(text=str(path_id(request))))


@routes.add("GET", "/address", summary="Who asks", answers={200: Text}, auth=False)
async def address(request: web.Request) -> web.Response:
    """Answer with the client's address."""
    return json_response(Text(text=str(client_address(request))))


@routes.add("GET", "/broken", summary="A bug", answers={200: Text}, auth=False)
async def broken(_request: web.Request) -> web.Response:
    """Fail as a bug does."""
    raise LookupError("the text of a bug")


@routes.add("GET", "/late", summary="Late", answers={200: Text}, auth=False, deadline=0.05)
async def late(_request: web.Request) -> web.Response:
    """Take longer than allowed."""
    await asyncio.sleep(60)
    return json_response(Text(text="too late"))


@routes.add("GET", "/slow", summary="Slow", answers={200: Text}, auth=False)
async def slow(request: web.Request) -> web.Response:
    """Take as long as asked for."""
    request.app[BUSY].append("slow")
    await asyncio.sleep(float(request.query["seconds"]))
    return json_response(Text(text="done"))


@routes.add("GET", "/left", summary="Answer nobody", answers={200: Text}, auth=False)
async def answer_nobody(request: web.Request) -> web.StreamResponse:
    """Stream to a client whose connection is about to close."""
    assert request.transport is not None
    request.transport.close()
    response = web.StreamResponse()
    await response.prepare(request)
    return response


@routes.add("GET", "/lookup", summary="Look up", answers={200: Text}, auth=False)
async def look_up(_request: web.Request) -> web.Response:
    """Leave a thread of the loop's executor at work, as a look-up that no name server answers."""
    asyncio.get_running_loop().run_in_executor(None, time.sleep, LOOKUP_SECONDS)
    return json_response(Text(text="it runs"))


@routes.add("GET", "/busy", summary="How busy it was", answers={200: Text}, auth=False)
async def busy(request: web.Request) -> web.Response:
    """Answer with how many slow requests have begun."""
    return json_response(Text(text=str(len(request.app[BUSY]))))


async def authenticate(request: web.Request) -> None:
    """Let the token `good` through."""
    token = parse_bearer_token(request.headers.get("Authorization"))
    if token == "late":
        raise TokenInvalid(reason="it has expired")
    if token != "good":
        raise TokenMissing


INTERFACE = Interface("A small service", PREFIX, (routes,))


def small_app(settings: ServiceSettings) -> web.Application:
    app = build_application(INTERFACE, settings, SystemEntropy(), authenticate)
    app[BUSY] = []
    return app


if __name__ == "__main__":
    told = load_settings(ServiceSettings)
    configure_logs(told.log_level, told.log_format)
    run(small_app(told), told)
