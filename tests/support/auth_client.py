"""A client of auth_service: what an app does, one call each."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientResponse, ClientSession, TCPConnector

AUTH = "/v1/auth"


@dataclass(frozen=True)
class Answer:
    """An answer, read to its end."""

    status: int
    headers: Mapping[str, str]
    body: Any

    @property
    def code(self) -> str:
        """The problem's code, checked to be a problem."""
        assert self.headers.get("Content-Type") == "application/problem+json", self.body
        assert self.body["status"] == self.status
        return str(self.body["code"])


async def read(response: ClientResponse) -> Answer:
    body = await response.json(content_type=None) if "json" in response.content_type else None
    if body is None:
        body = await response.read()
    return Answer(response.status, response.headers, body)


@dataclass(frozen=True)
class AuthClient:
    """auth_service as an app uses it."""

    http: ClientSession

    async def ready(self) -> bool:
        async with self.http.get("/readyz") as answer:
            return answer.status == 200

    async def call(self, method: str, path: str, **options: Any) -> Answer:
        token = options.pop("token", None)
        headers = {**options.pop("headers", {})}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        async with self.http.request(method, AUTH + path, headers=headers, **options) as response:
            return await read(response)

    async def request_code(
        self, number: str, name: str = "Asha", *, device: str | None = None, **options: Any
    ) -> Answer:
        body = {"phone_number": number, "name": name}
        body |= {"device": device} if device else {}
        return await self.call("POST", "/signup", json=body, **options)

    async def enter_code(
        self,
        number: str,
        otp: str,
        challenge: str | None = None,
        *,
        device: str | None = None,
        **options: Any,
    ) -> Answer:
        body = {"phone_number": number, "otp": otp}
        body |= {"challenge": challenge} if challenge else {}
        body |= {"device": device} if device else {}
        return await self.call("POST", "/signup", json=body, **options)

    async def inbox(self, number: str) -> list[dict[str, Any]]:
        answer = await self.call("GET", "/dev/inbox", params={"to": number})
        assert answer.status == 200, answer.body
        items: list[dict[str, Any]] = answer.body["items"]
        return items

    async def code(self, number: str, messages: int = 1) -> str:
        """The newest code, once `messages` codes have arrived."""
        async with asyncio.timeout(10):
            while len(codes := await self.codes(number)) < messages:
                await asyncio.sleep(0.005)
        return codes[0]

    async def codes(self, number: str) -> list[str]:
        """Every code that was sent, the newest first; notices are passed over."""
        texts = [str(item["text"]) for item in await self.inbox(number)]
        return [text[:6] for text in texts if text[:6].isdigit()]

    async def sign_in(self, number: str, name: str = "Asha", **options: Any) -> dict[str, Any]:
        """Request a code, read it, enter it: the token pair."""
        before = len(await self.codes(number))
        sent = await self.request_code(number, name, **options)
        assert sent.status == 202, sent.body
        code = await self.code(number, before + 1)
        answer = await self.enter_code(number, code, sent.body["challenge"], **options)
        assert answer.status in {200, 201}, answer.body
        pair: dict[str, Any] = answer.body
        return pair


def wrong(code: str) -> str:
    """A code that is not `code`."""
    return f"{(int(code) + 1) % 10**6:06d}"


@asynccontextmanager
async def many_at_once(auth: AuthClient) -> AsyncIterator[AuthClient]:
    """The same service for more requests at once than a client sends by itself."""
    async with ClientSession(auth.http._base_url, connector=TCPConnector(limit=0)) as http:
        yield AuthClient(http)
