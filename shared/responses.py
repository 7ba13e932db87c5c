"""Answers made of the models that document them."""

from collections.abc import Mapping

from aiohttp import web
from pydantic import BaseModel

from shared.if_match import matches_etag, version_tag


def json_response(
    body: BaseModel,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    *,
    without: frozenset[str] = frozenset(),
) -> web.Response:
    """Return `body` as JSON, but the fields `without`; a time that is in UTC ends with `Z`."""
    return web.Response(
        status=status,
        body=body.model_dump_json(exclude=set(without)).encode(),
        content_type="application/json",
        headers=headers,
    )


def version_response(request: web.Request, version: int, body: BaseModel) -> web.Response:
    """Return `body` with its version as ETag; 304 to a GET that names it in `If-None-Match`."""
    headers = {"ETag": version_tag(version)}
    known = matches_etag(request.headers.getall("If-None-Match", []), headers["ETag"])
    if known and request.method in {"GET", "HEAD"}:
        return web.Response(status=web.HTTPNotModified.status_code, headers=headers)
    return json_response(body, headers=headers)
