"""The signer on the application, for the features that issue access tokens."""

from aiohttp import web

from auth_service.signing.service import Signer

SIGNER = web.AppKey("signer", Signer)
