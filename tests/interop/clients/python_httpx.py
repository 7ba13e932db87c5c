"""httpx: `python_httpx.py ADDRESS PICTURE DAY GOOD BAD`."""

import sys
import time
from pathlib import Path

import httpx

address, picture, day, good, bad = sys.argv[1:]
client = httpx.Client(timeout=60)
url, data = f"{address}/v1/media/creatives", Path(picture).read_bytes()


def upload(token: str) -> int:
    answer = client.post(
        url,
        files={"file": ("my photo.png", data, "image/png")},
        data={"scheduled_at": day},
        headers={"Authorization": f"Bearer {token}"},
    )
    return int(answer.status_code)


def read_list() -> int:
    return int(client.get(url, headers={"Authorization": f"Bearer {good}"}).status_code)


print("upload", upload(good), flush=True)
print("refused", upload(bad), flush=True)
print("again", upload(good), flush=True)
print("list", read_list(), flush=True)
time.sleep(2)
print("idle", read_list(), flush=True)
