"""aiohttp's client: `python_aiohttp.py ADDRESS PICTURE DAY GOOD BAD`."""

import asyncio
import sys
from pathlib import Path

from aiohttp import ClientSession, FormData

address, picture, day, good, bad = sys.argv[1:]
url, data = f"{address}/v1/media/creatives", Path(picture).read_bytes()


async def upload(session: ClientSession, token: str) -> int:
    form = FormData()
    form.add_field("file", data, filename="my photo.png", content_type="image/png")
    form.add_field("scheduled_at", day)
    headers = {"Authorization": f"Bearer {token}"}
    async with session.post(url, data=form, headers=headers) as answer:
        return answer.status


async def read_list(session: ClientSession) -> int:
    async with session.get(url, headers={"Authorization": f"Bearer {good}"}) as answer:
        return answer.status


async def main() -> None:
    async with ClientSession() as session:
        print("upload", await upload(session, good), flush=True)
        print("refused", await upload(session, bad), flush=True)
        print("again", await upload(session, good), flush=True)
        print("list", await read_list(session), flush=True)
        await asyncio.sleep(2)
        print("idle", await read_list(session), flush=True)


asyncio.run(main())
