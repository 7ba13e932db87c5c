"""The development inbox. It is mounted only when `ENV=development`."""

from urllib.parse import urlsplit

import structlog
from aiohttp import web

from auth_service.delivery.console import Inbox
from auth_service.delivery.schemas import InboxMessage, InboxQuery, InboxResponse
from auth_service.destination import parse_mail_address
from auth_service.phone import parse_phone_number
from auth_service.resources import SETTINGS
from shared.client_address import client_address
from shared.errors import NotFound
from shared.openapi import Routes
from shared.origins import is_local_page
from shared.request import read_query
from shared.responses import json_response

routes = Routes("development")
INBOX = web.AppKey("inbox", Inbox)
LOCAL_ONLY = (
    "the inbox answers on this machine only, under a PUBLIC_URL such as http://localhost:8000"
)
log = structlog.get_logger()


@routes.add(
    "GET",
    "/dev/inbox",
    summary="Messages that the console provider kept; development only",
    query=InboxQuery,
    answers={200: InboxResponse},
    errors=(NotFound,),
    auth=False,
)
async def get_inbox(request: web.Request) -> web.Response:
    """Answer with the messages to `to`; only on a loopback address."""
    settings = request.app[SETTINGS]
    if not (settings.public_url_is_loopback and _is_local(request)):
        log.info("inbox.refused", setting="PUBLIC_URL", public_url=settings.public_url)
        raise NotFound(f"{LOCAL_ONLY} (PUBLIC_URL is {settings.public_url})")
    query = read_query(request, InboxQuery)
    # A `+` that was not escaped arrives as a blank.
    written = f"+{query.to[1:]}" if query.to.startswith(" ") else query.to
    to = parse_phone_number(written, settings.default_region, ("*",))
    address = to or parse_mail_address(query.to.replace(" ", "+")) or written
    kept = await request.app[INBOX].wait_for_recent(address, query.wait)
    return json_response(InboxResponse(items=[InboxMessage(**message) for message in kept]))


def _is_local(request: web.Request) -> bool:
    """Return whether client and `Host` are loopback, so that no page of another site asks."""
    try:
        host = urlsplit(f"//{request.host}").hostname or ""
    except ValueError:
        return False
    return is_local_page(host) and client_address(request).is_loopback
