"""`/admin/deliveries`: messages that could not be sent."""

from dataclasses import asdict
from datetime import UTC, datetime

from aiohttp import web

from auth_service.admin.dead_letter_service import DeadLetterAdministration
from auth_service.admin.errors import DeadLetterExpired
from auth_service.admin.routes import read_actor
from auth_service.admin.schemas import DeadLetterPage, DeadLetterResponse
from auth_service.delivery.dead_letters import DeadLetter
from shared.openapi import Routes
from shared.paging import PageQuery, decode_cursor, encode_cursor, invalid_cursor
from shared.request import path_id, read_query
from shared.responses import json_response

MOST_DIGITS = 9
routes = Routes("administration")
DEAD_LETTERS = web.AppKey("dead_letters", DeadLetterAdministration)


@routes.add(
    "GET",
    "/admin/deliveries/dead",
    summary="Messages that could not be sent, and why",
    query=PageQuery,
    answers={200: DeadLetterPage},
    role="admin",
)
async def list_dead_letters(request: web.Request) -> web.Response:
    """Answer with a page of dead letters."""
    query = read_query(request, PageQuery)
    position = _position(query.cursor) if query.cursor else None
    letters, following = await request.app[DEAD_LETTERS].page(position, query.limit)
    cursor = None if following is None else encode_cursor([str(following)])
    return json_response(
        DeadLetterPage(items=[_response(one) for one in letters], next_cursor=cursor)
    )


@routes.add(
    "POST",
    "/admin/deliveries/{id}/retry",
    summary="Put a message back into the queue",
    answers={204: None},
    errors=(DeadLetterExpired,),
    role="admin",
)
async def retry_delivery(request: web.Request) -> web.Response:
    """Queue the dead letter again."""
    await request.app[DEAD_LETTERS].retry(read_actor(request), str(path_id(request)))
    return web.Response(status=204)


@routes.add(
    "DELETE",
    "/admin/deliveries/{id}",
    summary="Forget a message that could not be sent, expired or not",
    answers={204: None},
    role="admin",
)
async def delete_delivery(request: web.Request) -> web.Response:
    """Delete the dead letter."""
    await request.app[DEAD_LETTERS].delete(read_actor(request), str(path_id(request)))
    return web.Response(status=204)


def _response(letter: DeadLetter) -> DeadLetterResponse:
    not_after = datetime.fromtimestamp(letter.not_after / 1000, UTC)
    return DeadLetterResponse.model_validate({**asdict(letter), "not_after": not_after})


def _position(cursor: str) -> int:
    [text] = decode_cursor(cursor, 1)
    if not (text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS):
        raise invalid_cursor()
    return int(text)
