"""`/admin/subscribers`: the processes that follow the revocations."""

from datetime import timedelta

from aiohttp import web

from auth_service.admin.schemas import SubscriberList, SubscriberResponse
from auth_service.resources import CLOCK
from auth_service.revocation.subscribers import Subscriber, Subscribers
from shared.clock import Clock
from shared.openapi import Routes
from shared.responses import json_response
from shared.revocation.stream_cursor import StreamId, format_id

routes = Routes("administration")
SUBSCRIBERS = web.AppKey("subscribers", Subscribers)


@routes.add(
    "GET",
    "/admin/subscribers",
    summary="Processes that follow the revocations, as this replica hears them",
    answers={200: SubscriberList},
    role="admin",
)
async def list_subscribers(request: web.Request) -> web.Response:
    """Answer with the subscribers that were heard within a minute."""
    subscribers, clock = request.app[SUBSCRIBERS], request.app[CLOCK]
    newest = subscribers.newest_entry
    items = [_response(one, newest, clock) for one in subscribers.known()]
    return json_response(SubscriberList(items=items))


def _response(subscriber: Subscriber, newest: StreamId, clock: Clock) -> SubscriberResponse:
    silent_for = timedelta(seconds=clock.monotonic() - subscriber.heard_at)
    return SubscriberResponse(
        subscriber=subscriber.newest.subscriber,
        applied=format_id(subscriber.newest.applied.entry),
        lag=subscriber.lag(newest),
        last_heard_at=clock.now() - silent_for,
        max_staleness=subscriber.newest.max_staleness,
    )
