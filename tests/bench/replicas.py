"""auth_service and three replicas of media_service, and the lines to them."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from tests.bench.client import Lines, Seen
from tests.bench.raw_http import render
from tests.bench.stack import Stack

REPLICAS = 3
AUTH_LINES = 64
MEDIA_LINES = 32
# Needs a signed-in user and asks no database: 404 for whoever counts as one.
PATH = "/v1/media/creatives/none"
HONOURED, REFUSED, UNSURE = 404, 401, 503


def asking(token: str) -> bytes:
    return render("GET", PATH, token=token)


def signing_out(token: str) -> bytes:
    return render("POST", "/v1/auth/logout", token=token)


@dataclass(frozen=True)
class Replicas:
    """Where to sign out, and where the token must then be refused."""

    auth: Lines
    media: list[Lines]

    async def everywhere(self, tokens: Iterable[str]) -> Counter[int]:
        """Show each token to each replica; count the answers by status."""
        asked = [lines.ask(asking(token)) for token in tokens for lines in self.media]
        return Counter(seen.status for seen in await asyncio.gather(*asked))

    async def sign_out(self, token: str) -> Seen:
        return await self.auth.ask(signing_out(token))


@asynccontextmanager
async def replicas(stack: Stack) -> AsyncIterator[Replicas]:
    """Start them all, and connect."""
    async with AsyncExitStack() as exits:
        auth = exits.enter_context(stack.auth())
        media = [exits.enter_context(stack.media()) for _ in range(REPLICAS)]
        found = Replicas(
            Lines(auth.port, AUTH_LINES), [Lines(one.port, MEDIA_LINES) for one in media]
        )
        yield found
        for lines in (found.auth, *found.media):
            lines.close()
