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
"""Who a request comes from; set before every handler whose operation needs a signed-in user."""

TOKEN: web.RequestKey[str] = web.RequestKey("token")
"""The access token that said so, for asking again."""


def database_of(request: web.Request) -> Database:
    """Return the pool for whoever is calling, so that strangers starve nobody who has signed in.

    The networks of strangers take turns, so that one does not starve the others either.

    Each route that needs no sign-in asks for its database here.
    """
    if CALLER in request:
        return request.app[DATABASE]
    return request.app[ANONYMOUS_DATABASE].for_key(network_of(client_address(request)))
