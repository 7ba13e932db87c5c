"""curl, which waits for `100 Continue` before a large body.

One process makes all requests up to a blank line, so that they share its connections.
"""

import subprocess
import tempfile
from pathlib import Path

from tests.interop.clients.python.steps import (
    DAY,
    FILE_NAME,
    TIMEOUT_SECONDS,
    Request,
    read_request,
    report,
)

WRITTEN = ("--silent", "--show-error", "--write-out", "%{http_code}\\n")


def options(request: Request, body: Path) -> list[str]:
    """Return curl's words for one request."""
    words = [*WRITTEN, "--max-time", f"{TIMEOUT_SECONDS}", "--output", f"{body}"]
    if request.token:
        words += ["--header", f"Authorization: Bearer {request.token}"]
    if request.json:
        words += ["--header", "Content-Type: application/json", "--data", request.data]
    elif request.data:
        words += ["--form", f"file=@{request.data};filename={FILE_NAME}"]
        words += ["--form", f"scheduled_at={DAY}"]
    return [*words, "--request", request.method, request.url]


def send(requests: list[Request], folder: Path) -> None:
    """Send them one after the other, and report each answer."""
    bodies = [folder / f"{number}" for number in range(len(requests))]
    command = ["curl"]
    for request, body in zip(requests, bodies, strict=True):
        command += [*(["--next"] if len(command) > 1 else []), *options(request, body)]
    ended = subprocess.run(command, stdout=subprocess.PIPE, check=False, text=True)
    for status, body in zip(ended.stdout.split(), bodies, strict=True):
        report(int(status), body.read_bytes() if body.exists() else b"")


while batch := list(iter(read_request, None)):
    with tempfile.TemporaryDirectory() as bodies:
        send(batch, Path(bodies))
