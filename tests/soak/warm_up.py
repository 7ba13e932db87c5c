"""Fills what each service remembers of tokens, so that growth after it is growth.

A verifier remembers `CACHE_SIZE` tokens, expired ones too, some 1.4 KB each. Honest load brings
a few a second and would need hours. The tokens are real ones, of users that do not exist.
"""

import asyncio
from itertools import islice
from pathlib import Path
from uuid import uuid4

from aiohttp import ClientSession, UnixConnector

from auth_service.signing.keystore import KeyStore
from deploy.local.data_dir import DataDir
from shared.tokens import CACHE_SIZE
from tests.soak.stack import SoakError
from tests.support.tokens import Mint

AUDIENCE = "cheershare"
AT_ONCE = 16
PATHS = {"auth": ("/v1/auth/me", 401), "media": ("/v1/media/products", 200)}
"""A cheap read of each service, and its answer to a user that does not exist."""


async def fill_token_caches(data: Path, issuer: str, tokens: int = CACHE_SIZE) -> None:
    """Show each service so many different tokens, past the front.

    Raises:
        SoakError: a service answers otherwise than expected.
    """
    data_dir = DataDir(data)
    key = KeyStore(data_dir.private_keys).load()[0]
    mint = Mint(key.private, issuer, AUDIENCE, key.kid)
    texts = await asyncio.to_thread(lambda: [mint.token(uuid4()) for _ in range(tokens)])
    for service, (path, expected) in PATHS.items():
        connector = UnixConnector(str(data_dir.socket(service)), limit=AT_ONCE)
        async with ClientSession("http://service", connector=connector) as http:
            rest = iter(texts)
            while batch := list(islice(rest, AT_ONCE * 10)):
                await asyncio.gather(*(_show(http, path, token, expected) for token in batch))


async def _show(http: ClientSession, path: str, token: str, expected: int) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    async with http.get(path, headers=headers) as answer:
        if answer.status != expected:
            raise SoakError(f"warm-up: {path} answered {answer.status}, not {expected}")
        await answer.read()
