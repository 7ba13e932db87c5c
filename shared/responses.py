"""Answers made of the models that document them."""

from collections.abc import Mapping

from aiohttp import web
from pydantic import BaseModel


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
