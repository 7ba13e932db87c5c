"""Calendar feeds: create, show and delete the address; read the calendar."""

from dataclasses import asdict

from aiohttp import web

from media_service.creative.app_keys import TIMEZONES
from media_service.feed.schemas import FeedAddressResponse, FeedResponse
from media_service.feed.service import FeedService
from media_service.resources import CALLER, SETTINGS, database_of
from shared.errors import NotFound
from shared.if_match import matches_etag
from shared.openapi import Content, Routes
from shared.responses import json_response

FEEDS: web.AppKey[FeedService] = web.AppKey("feeds")
routes = Routes("feed")
_CALENDAR = Content("text/calendar", "The next 400 and the last 100 creatives (RFC 5545)")


@routes.add(
    "POST",
    "/feed",
    summary="Get an address at which calendar programs read one's creatives; the one before ends",
    answers={201: FeedAddressResponse},
)
async def create_feed(request: web.Request) -> web.Response:
    """Answer with the address."""
    token = await request.app[FEEDS].create(request[CALLER].sub)
    base = request.app[SETTINGS].public_url.rstrip("/")
    return json_response(FeedAddressResponse(url=f"{base}{request.path}/{token}.ics"), 201)


@routes.add(
    "GET",
    "/feed",
    summary="Whether there is a feed, and when it was last read",
    answers={200: FeedResponse},
    errors=(NotFound,),
)
async def get_feed(request: web.Request) -> web.Response:
    """Answer with the feed, without its address."""
    feed = await request.app[FEEDS].get(request[CALLER].sub)
    return json_response(FeedResponse(**asdict(feed)))


@routes.add("DELETE", "/feed", summary="End one's feed", answers={204: None}, errors=(NotFound,))
async def delete_feed(request: web.Request) -> web.Response:
    """Answer with nothing."""
    await request.app[FEEDS].delete(request[CALLER].sub)
    return web.Response(status=web.HTTPNoContent.status_code)


@routes.add(
    "GET",
    "/feed/{token}.ics",
    summary="The calendar; its address is the key, and its ETag changes with what it shows",
    answers={200: _CALENDAR, 304: None},
    id_pattern="^chf_[0-9A-Za-z]{49}$",
    auth=False,
)
async def read_feed(request: web.Request) -> web.Response:
    """Answer with the calendar of the token."""
    feeds, timezones = request.app[FEEDS], request.app[TIMEZONES]
    content = await feeds.read(database_of(request), timezones, request.match_info["token"])
    headers = {"ETag": content.etag, "Cache-Control": "private, no-cache"}
    if matches_etag(request.headers.getall("If-None-Match", []), content.etag):
        return web.Response(status=web.HTTPNotModified.status_code, headers=headers)
    body = await feeds.write(content, timezones)
    return web.Response(body=body, headers=headers, content_type="text/calendar", charset="utf-8")
