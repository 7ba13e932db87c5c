"""`GET /admin/audit`: audit events, the newest first."""

from aiohttp import web

from auth_service.audit.model import EventFilter
from auth_service.audit.schemas import EventPage, EventQuery, EventResponse
from auth_service.audit.service import AuditLog
from shared.openapi import Routes
from shared.request import read_query
from shared.responses import json_response

routes = Routes("administration")
AUDIT = web.AppKey("audit", AuditLog)


@routes.add(
    "GET",
    "/admin/audit",
    summary="Security events, the newest first: actor, action, address, time and outcome",
    query=EventQuery,
    answers={200: EventPage},
    role="admin",
)
async def list_events(request: web.Request) -> web.Response:
    """Answer with a page of events."""
    query = read_query(request, EventQuery)
    wanted = EventFilter(query.user_id, query.event, query.since, query.until)
    found = await request.app[AUDIT].list_events(wanted, query.before_id(), query.rows)
    return json_response(EventPage.from_rows(query, found, EventResponse.model_validate))
