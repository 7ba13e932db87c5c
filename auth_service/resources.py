"""AppKeys of the parts that handlers of several features need; `app.py` sets them.

The key of a feature's own service is in its `routes.py`; keys that other features use are in its
`resources.py`.
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
