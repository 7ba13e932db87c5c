"""The end of media_service while uploads arrive: each is finished, however slowly it comes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from http import HTTPStatus
from typing import Any

from aiohttp import ClientConnectionError

from tests.support.command_process import wait_for_exit
from tests.support.media_client import FORM, MEDIA, MediaClient, picture_form
from tests.support.waiting import until

UPLOADS, PIECES = 5, 20


async def test_shutdown_slow_uploads_are_kept(running_media: Callable[..., Any]) -> None:
    arriving = [0] * UPLOADS
    go_on = asyncio.Event()

    async def body(number: int) -> AsyncIterator[bytes]:
        whole = picture_form()
        size = len(whole) // PIECES + 1
        for place in range(0, len(whole), size):
            arriving[number] += 1
            yield whole[place : place + size]
            await asyncio.sleep(0.05)
            if arriving[number] == PIECES // 2:
                await go_on.wait()

    async def upload(client: MediaClient, number: int) -> int:
        headers = {"Authorization": f"Bearer {client.token}", **FORM}
        async with client.http.post(
            f"{MEDIA}/creatives", data=body(number), headers=headers
        ) as answer:
            return answer.status

    async def closed(client: MediaClient) -> bool:
        try:
            async with client.http.get("/healthz"):
                return False
        except ClientConnectionError:
            return True

    async with running_media() as (service, client), asyncio.TaskGroup() as group:
        uploads = [group.create_task(upload(client, number)) for number in range(UPLOADS)]
        await until(lambda: arriving == [PIECES // 2] * UPLOADS)
        service.terminate()
        await until(lambda: closed(client))
        go_on.set()
        await asyncio.gather(*uploads)
        assert await wait_for_exit(service) == 0
    assert [upload.result() for upload in uploads] == [HTTPStatus.CREATED] * UPLOADS
