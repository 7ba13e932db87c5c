"""What handlers find on the application and on a request, by typed keys; `app.py` puts it there."""

from typing import TYPE_CHECKING

from aiohttp import web

from shared.networks import network_of
from shared.request import client_address

if TYPE_CHECKING:
    import asyncio

    from media_service.creative.signed_link import Links
    from media_service.creative.timezones import Zones
    from media_service.identity.change_limiter import ChangeLimiter
    from media_service.image.worker.pool import ImagePool
    from media_service.picture.file_deleter import Remover
    from media_service.schedule.loader import Schedules
    from media_service.settings import MediaSettings
    from media_service.storage.model import Storage
    from media_service.upload.context import Intake
    from media_service.upload.model import UploadLimits
    from shared.clock import Clock
    from shared.db import Database
    from shared.entropy import Entropy
    from shared.revocation.authenticator import TokenAuthenticator
    from shared.tokens import Claims

SETTINGS: web.AppKey["MediaSettings"] = web.AppKey("settings")
CLOCK: web.AppKey["Clock"] = web.AppKey("clock")
ENTROPY: web.AppKey["Entropy"] = web.AppKey("entropy")
DATABASE: web.AppKey["Database"] = web.AppKey("database")
ANONYMOUS_DATABASE: web.AppKey["Database"] = web.AppKey("anonymous_database")
"""The same database by few connections and short statements, for callers who are not signed in."""

SCHEDULES: web.AppKey["Schedules"] = web.AppKey("schedules")
STORAGE: web.AppKey["Storage"] = web.AppKey("storage")
IMAGES: web.AppKey["ImagePool"] = web.AppKey("images")
LINKS: web.AppKey["Links"] = web.AppKey("links")
REMOVER: web.AppKey["Remover"] = web.AppKey("remover")
ZONES: web.AppKey["Zones"] = web.AppKey("zones")
AUTHENTICATOR: web.AppKey["TokenAuthenticator"] = web.AppKey("authenticator")
CHANGES: web.AppKey["ChangeLimiter"] = web.AppKey("changes")
UPLOAD_LIMITS: web.AppKey["UploadLimits"] = web.AppKey("upload_limits")
INTAKE: web.AppKey["Intake"] = web.AppKey("intake")
READING_SLOTS: web.AppKey["asyncio.Semaphore"] = web.AppKey("reading_slots")

CALLER: web.RequestKey["Claims"] = web.RequestKey("caller")
"""Who a request comes from; set before every handler whose operation needs a signed-in user."""

TOKEN: web.RequestKey["str"] = web.RequestKey("token")
"""The access token that said so, for asking again."""


def database_of(request: web.Request) -> "Database":
    """Return the pool for whoever is calling, so that strangers starve nobody who has signed in.

    The networks of strangers take turns, so that one does not starve the others either.

    Each route that needs no sign-in asks for its database here.
    """
    if CALLER in request:
        return request.app[DATABASE]
    return request.app[ANONYMOUS_DATABASE].of(network_of(client_address(request)))
