"""The pages that mails link to, unless `RESET_URL` and `ACTIVATE_URL` name pages of the app."""

import base64

from aiohttp import web

from auth_service.delivery.templates import Templates
from auth_service.language import parse_accept_language
from auth_service.settings.messages import ACTIVATION_PAGE, RESET_PAGE
from shared.middleware import ENTROPY
from shared.openapi import Content, Routes

NONCE_BYTES = 16
POLICY = (
    "default-src 'none'; style-src 'nonce-{0}'; script-src 'nonce-{0}'; connect-src 'self'; "
    "img-src https: http:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
PAGE = Content("text/html", "The page in the browser's language")
routes = Routes("pages")
TEMPLATES = web.AppKey("templates", Templates)


@routes.add(
    "GET",
    RESET_PAGE,
    summary="The page of a mailed link that sets a new password",
    answers={200: PAGE},
    auth=False,
)
async def show_reset_page(request: web.Request) -> web.Response:
    """Answer with the page; the ticket stays in the link's fragment."""
    return _show(request, "reset_password")


@routes.add(
    "GET",
    ACTIVATION_PAGE,
    summary="The page of a mailed link that activates an account",
    answers={200: PAGE},
    auth=False,
)
async def show_activation_page(request: web.Request) -> web.Response:
    """Answer with the page; the code stays in the link's fragment."""
    return _show(request, "activate")


def _show(request: web.Request, name: str) -> web.Response:
    nonce = base64.b64encode(request.app[ENTROPY].bytes(NONCE_BYTES)).decode()
    languages = parse_accept_language(request.headers.getall("Accept-Language", ()))
    text = request.app[TEMPLATES].render_page(name, languages, nonce)
    headers = {"Content-Security-Policy": POLICY.format(nonce), "Vary": "Accept-Language"}
    return web.Response(text=text, content_type="text/html", headers=headers)
