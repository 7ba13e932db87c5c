"""The public keys, for all services that verify our tokens."""

from typing import Any

from aiohttp import web
from pydantic import BaseModel

from auth_service.signing.resources import SIGNER
from shared.openapi import Routes

routes = Routes("keys")
MAX_AGE = "public, max-age=300"


class KeySet(BaseModel):
    """A JWK set (RFC 7517 §5): current and next keys, and those with unexpired tokens."""

    keys: list[dict[str, Any]]


@routes.add(
    "GET",
    "/.well-known/jwks.json",
    summary="Public keys that access tokens are signed with",
    answers={200: KeySet},
    auth=False,
)
async def get_keys(request: web.Request) -> web.Response:
    """Answer with the key set; caches may keep it for five minutes."""
    return web.json_response(request.app[SIGNER].jwks(), headers={"Cache-Control": MAX_AGE})
