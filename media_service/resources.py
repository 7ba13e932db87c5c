"""App and request keys that every feature uses; each feature has further keys of its own."""

from aiohttp import web

from media_service.settings import MediaSettings
from shared.client_address import client_address
from shared.clock import Clock
from shared.db import Database
from shared.networks import network_of
from shared.revocation.authenticator import TokenAuthenticator
from shared.tokens import Claims

SETTINGS: web.AppKey[MediaSettings] = web.AppKey("settings")
CLOCK: web.AppKey[Clock] = web.AppKey("clock")
AUTHENTICATOR: web.AppKey[TokenAuthenticator] = web.AppKey("authenticator")
DATABASE: web.AppKey[Database] = web.AppKey("database")
ANONYMOUS_DATABASE: web.AppKey[Database] = web.AppKey("anonymous_database")
"""The same database by few connections and short statements, for callers who are not signed in."""

CALLER: web.RequestKey[Claims] = web.RequestKey("caller")
"""The caller's claims; set before every handler whose operation needs a signed-in user."""

TOKEN: web.RequestKey[str] = web.RequestKey("token")
"""The caller's access token, to verify again when an upload ends."""


def database_of(request: web.Request) -> Database:
    """Return the pool for the caller: anonymous callers cannot starve those who have signed in.

    The networks of anonymous callers take turns, so that one cannot starve the others either. Each
    route that needs no sign-in gets its database here.
    """
    if CALLER in request:
        return request.app[DATABASE]
    return request.app[ANONYMOUS_DATABASE].with_fairness_key(network_of(client_address(request)))
