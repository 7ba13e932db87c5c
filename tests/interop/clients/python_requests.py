"""requests: `python_requests.py ADDRESS PICTURE DAY GOOD BAD`."""

import sys
import time
from pathlib import Path

import requests

address, picture, day, good, bad = sys.argv[1:]
session = requests.Session()
url, data = f"{address}/v1/media/creatives", Path(picture).read_bytes()


def upload(token: str) -> int:
    answer = session.post(
        url,
        files={"file": ("my photo.png", data, "image/png")},
        data={"scheduled_at": day},
        headers={"Authorization": f"Bearer {token}"},
        timeout=60,
    )
    return answer.status_code


def read_list() -> int:
    return session.get(url, headers={"Authorization": f"Bearer {good}"}, timeout=60).status_code


print("upload", upload(good), flush=True)
print("refused", upload(bad), flush=True)
print("again", upload(good), flush=True)
print("list", read_list(), flush=True)
time.sleep(2)
print("idle", read_list(), flush=True)
