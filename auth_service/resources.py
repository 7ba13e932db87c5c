"""What several features' handlers find on the application, by typed keys; `app.py` puts it there.

A feature's own service has its key in the feature's `routes.py`; what a feature lends to others, in
its `resources.py`.
"""

from aiohttp import web

from auth_service.keyring import Keyring
from auth_service.settings import AuthSettings
from shared.clock import Clock
from shared.tokens import TokenVerifier

SETTINGS = web.AppKey("settings", AuthSettings)
CLOCK: web.AppKey[Clock] = web.AppKey("clock")
KEYRING = web.AppKey("keyring", Keyring)
VERIFIER = web.AppKey("verifier", TokenVerifier)
