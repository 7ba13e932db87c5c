"""The parts of the application that creatives use."""

from aiohttp import web

from media_service.creative.signed_link import LinkSigner
from media_service.creative.timezones import TimezoneRegistry

LINK_SIGNER: web.AppKey[LinkSigner] = web.AppKey("link_signer")
TIMEZONES: web.AppKey[TimezoneRegistry] = web.AppKey("timezones")
