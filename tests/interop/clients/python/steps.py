"""What the Python clients share: a request comes in as a line, and its answer goes out as JSON.

A line is `METHOD URL TOKEN DATA`, with tabs between. TOKEN and DATA may be empty. DATA is a JSON
object, or the path of a picture, which is uploaded in a form for the day `DAY`. A blank line says
that the next request depends on these answers. Each program's only argument is `DAY`.
"""

import base64
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DAY = sys.argv[1]
FILE_NAME = "my photo.png"
TIMEOUT_SECONDS = 60


@dataclass(frozen=True)
class Request:
    method: str
    url: str
    token: str
    data: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    @property
    def json(self) -> Any:
        return json.loads(self.data) if self.data.startswith("{") else None

    @property
    def picture(self) -> bytes | None:
        return Path(self.data).read_bytes() if self.data.startswith("/") else None


def read_request() -> Request | None:
    """Return the next request before the blank line or the end of the input."""
    line = sys.stdin.readline().rstrip("\n")
    return Request(*line.split("\t")) if line else None


def next_request() -> Request | None:
    """Return the next request; a blank line makes no difference to one that is sent at once."""
    return read_request() or read_request()


def report(status: int, body: bytes) -> None:
    answer = {"status": status, "body": base64.b64encode(body).decode()}
    print(json.dumps(answer), flush=True)


def serve(send: Callable[[Request], tuple[int, bytes]]) -> None:
    """Send each request as it comes."""
    while request := next_request():
        report(*send(request))
