"""The part of the application that routes use for events."""

from aiohttp import web

from media_service.event.recorder import EventRecorder

EVENTS: web.AppKey[EventRecorder] = web.AppKey("events")
