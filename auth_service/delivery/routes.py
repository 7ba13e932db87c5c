"""The development inbox. It is mounted only when `ENV=development`."""

from aiohttp import web

from auth_service.delivery.schemas import InboxPage, InboxQuery
from auth_service.phone import parse_phone_number
from auth_service.resources import INBOX, SETTINGS
from shared.errors import NotFound
from shared.openapi import Routes
from shared.request import read_query

routes = Routes("development")


@routes.add(
    "GET",
    "/dev/inbox",
    summary="Messages that the console provider kept; development only",
    query=InboxQuery,
    answers={200: InboxPage},
    errors=(NotFound,),
    auth=False,
)
async def read_inbox(request: web.Request) -> web.Response:
    """Answer with what was sent to `to`; never while others than this machine can reach us."""
    settings = request.app[SETTINGS]
    if not settings.public_url_is_loopback:
        raise NotFound
    query = read_query(request, InboxQuery)
    # A `+` that was not escaped arrives as a blank.
    written = f"+{query.to[1:]}" if query.to.startswith(" ") else query.to
    to = parse_phone_number(written, settings.default_region, ("*",))
    items = await request.app[INBOX].read(to or written)
    return web.json_response({"items": items})
