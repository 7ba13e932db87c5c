"""GET /scheduled."""

from aiohttp import web

from media_service.creative.app_keys import TIMEZONES
from media_service.resources import CALLER, CLOCK
from media_service.schedule import service
from media_service.schedule.schemas import ScheduleQuery, ScheduleResponse
from media_service.schedule.service import ScheduleLoader
from shared.openapi import Routes
from shared.request import read_query

routes = Routes("schedule")
SCHEDULE_LOADER: web.AppKey[ScheduleLoader] = web.AppKey("schedule_loader")


@routes.add(
    "GET",
    "/scheduled",
    summary="The creatives that fall due today and tomorrow in a time zone",
    query=ScheduleQuery,
    answers={200: ScheduleResponse},
)
async def get_scheduled(request: web.Request) -> web.Response:
    """Answer with the caller's creatives of the two days."""
    app, timezone = request.app, read_query(request, ScheduleQuery).timezone
    body = await service.get_schedule(
        app[SCHEDULE_LOADER], app[TIMEZONES], request[CALLER].sub, timezone, app[CLOCK].now()
    )
    return web.Response(body=body, content_type="application/json")
