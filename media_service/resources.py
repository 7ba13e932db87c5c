"""What handlers find on the application and on a request, by typed keys; `app.py` puts it there."""

from typing import TYPE_CHECKING

from aiohttp import web

from shared.networks import network_of
from shared.request import client_address

if TYPE_CHECKING:
    import asyncio

    from media_service.creative.signed_link import LinkSigner
    from media_service.creative.timezones import TimezoneRegistry
    from media_service.identity.change_limiter import ChangeLimiter
    from media_service.image.worker.pool import DecoderPool
    from media_service.picture.file_deleter import FileDeleter
    from media_service.schedule.loader import ScheduleLoader
    from media_service.settings import MediaSettings
    from media_service.storage.model import Storage
    from media_service.upload.context import UploadContext
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

SCHEDULE_LOADER: web.AppKey["ScheduleLoader"] = web.AppKey("schedule_loader")
STORAGE: web.AppKey["Storage"] = web.AppKey("storage")
IMAGES: web.AppKey["DecoderPool"] = web.AppKey("images")
LINK_SIGNER: web.AppKey["LinkSigner"] = web.AppKey("link_signer")
FILE_DELETER: web.AppKey["FileDeleter"] = web.AppKey("file_deleter")
TIMEZONES: web.AppKey["TimezoneRegistry"] = web.AppKey("timezones")
AUTHENTICATOR: web.AppKey["TokenAuthenticator"] = web.AppKey("authenticator")
CHANGE_LIMITER: web.AppKey["ChangeLimiter"] = web.AppKey("change_limiter")
UPLOAD_LIMITS: web.AppKey["UploadLimits"] = web.AppKey("upload_limits")
UPLOAD_CONTEXT: web.AppKey["UploadContext"] = web.AppKey("upload_context")
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
