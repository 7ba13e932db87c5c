"""aiohttp's client, with a session."""

import asyncio

from aiohttp import ClientSession, ClientTimeout, FormData

from tests.interop.clients.python.steps import (
    DAY,
    FILE_NAME,
    TIMEOUT_SECONDS,
    Request,
    next_request,
    report,
)


async def send(session: ClientSession, request: Request) -> tuple[int, bytes]:
    form = None
    if picture := request.picture:
        form = FormData()
        form.add_field("file", picture, filename=FILE_NAME, content_type="image/png")
        form.add_field("scheduled_at", DAY)
    async with session.request(
        request.method, request.url, headers=request.headers, json=request.json, data=form
    ) as answer:
        return answer.status, await answer.read()


async def main() -> None:
    async with ClientSession(timeout=ClientTimeout(total=TIMEOUT_SECONDS)) as session:
        while request := await asyncio.to_thread(next_request):
            report(*await send(session, request))


asyncio.run(main())
