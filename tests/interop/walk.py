"""What every client does, from sign-up by code to the refusal of its token after sign-out."""

import asyncio
import base64
import contextlib
import hashlib
import json
import os
import tempfile
import time
import traceback
from collections.abc import AsyncIterator, Iterable
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote, urljoin

from tests.interop.programs import PROGRAMS, Workshop
from tests.interop.slow_line import slow_line
from tests.local.processes import CHECKOUT
from tests.support.media_client import day
from tests.support.pictures import grain

STEPS = {
    "code": 202,
    "inbox": 200,
    "sign-in": 201,
    "upload": 201,
    "refused": 401,  # while the photo is still being sent
    "too large": 413,  # likewise
    "refresh": 200,
    "again": 201,
    "list": 200,
    "download": 200,
    "idle": 200,  # a list, after a pause
    "sign-out": 204,
    "signed out": 401,
    "no refresh": 401,
}
"""The steps in their order, each with the status that its client must see."""

PHOTO_PIXELS, LARGE_PIXELS = 1300, 1950  # 5 MB; 11 MB, more than MAX_UPLOAD_BYTES
IDLE_SECONDS = 2
ANSWER_SECONDS = 120
LINE_BYTES = 2**25
AT_ONCE = 5
"""So many walks at a time: most of each is the wait for its slow line."""


@dataclass(frozen=True)
class Route:
    """Where the clients find both services, and what is in front of these.

    The front answers the inbox and downloads: in a stack of containers a service leaves both to it.
    """

    auth: str
    media: str
    front: str


@dataclass
class Walk:
    """What one client saw."""

    statuses: dict[str, int] = field(default_factory=dict)
    failure: str = ""
    missing: str = ""
    seconds: float = 0

    @property
    def fault(self) -> str:
        """Why the client failed, if so. A tool that is missing in CI is a fault too."""
        return self.failure or ("CI" in os.environ and self.missing) or ""


@dataclass(frozen=True)
class Request:
    step: str
    method: str
    url: str
    token: str = ""
    data: str = ""


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Client:
    """A running program; its input and output are described in `clients/python/steps.py`."""

    process: asyncio.subprocess.Process
    errors: IO[bytes]
    walk: Walk

    async def send(self, *requests: Request) -> list[Answer]:
        """Have them sent one after the other; each answer has the status of its step."""
        assert self.process.stdin is not None
        lines = [f"{one.method}\t{one.url}\t{one.token}\t{one.data}\n" for one in requests]
        with contextlib.suppress(ConnectionError):  # its output tells why it has ended
            self.process.stdin.write("".join([*lines, "\n"]).encode())
            await self.process.stdin.drain()
        return [await self._read(request.step) for request in requests]

    async def _read(self, step: str) -> Answer:
        assert self.process.stdout is not None
        line = b""
        with contextlib.suppress(TimeoutError):
            line = await asyncio.wait_for(self.process.stdout.readline(), ANSWER_SECONDS)
        assert line, f"{step}: no answer; {self._complaint()}"
        found = json.loads(line)
        answer = Answer(found["status"], base64.b64decode(found["body"]))
        self.walk.statuses[step] = answer.status
        assert answer.status == STEPS[step], f"{step}: {answer.status} {answer.body[:500]!r}"
        return answer

    def _complaint(self) -> str:
        self.errors.seek(0)
        return self.errors.read().decode(errors="replace")[-3000:]


async def walk_all(
    workshop: Workshop, route: Route, names: Iterable[str] = PROGRAMS
) -> dict[str, Walk]:
    """Have these clients walk over slow lines; return what each of them saw."""
    photos = workshop.folder / "photo.png", workshop.folder / "large.png"
    for path, pixels in zip(photos, (PHOTO_PIXELS, LARGE_PIXELS), strict=True):
        path.write_bytes(grain(pixels))
    walks = {name: Walk(missing=PROGRAMS[name].missing) for name in names}
    turns = asyncio.Semaphore(AT_ONCE)

    async def take(name: str, walk: Walk) -> None:
        try:
            command = await workshop.command(PROGRAMS[name])
            async with turns, running(command, walk) as client:
                began = time.monotonic()
                await sign_up_to_sign_out(client, slow, photos)
                walk.seconds = time.monotonic() - began
        except (AssertionError, KeyError, ValueError) as error:
            walk.failure = "".join(traceback.format_exception(error))

    async with contextlib.AsyncExitStack() as stack:
        lines = {one: await stack.enter_async_context(slow_line(one)) for one in {*astuple(route)}}
        slow = Route(*(lines[one] for one in astuple(route)))
        possible = [(name, walk) for name, walk in walks.items() if not walk.missing]
        await asyncio.gather(*(take(*one) for one in possible))
    return walks


@contextlib.asynccontextmanager
async def running(command: list[str], walk: Walk) -> AsyncIterator[Client]:
    with tempfile.TemporaryFile() as errors:
        process = await asyncio.create_subprocess_exec(
            *(*command, day()),
            cwd=CHECKOUT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            limit=LINE_BYTES,
        )
        try:
            yield Client(process, errors, walk)
        finally:
            with contextlib.suppress(ProcessLookupError):  # it has ended by itself
                process.kill()
            await process.communicate()


async def sign_up_to_sign_out(client: Client, route: Route, photos: tuple[Path, Path]) -> None:
    auth, creatives = f"{route.auth}/v1/auth", f"{route.media}/v1/media/creatives"
    photo, large = (f"{path}" for path in photos)
    number = f"+9198{int.from_bytes(os.urandom(4)) % 10**8:08}"
    inbox = f"{route.front}/v1/auth/dev/inbox?to={quote(number)}&wait=5"
    signup = {"name": "Asha", "phone_number": number}
    _, kept = await client.send(
        Request("code", "POST", f"{auth}/signup", data=json.dumps(signup)),
        Request("inbox", "GET", inbox),
    )
    signup["otp"] = kept.json["items"][0]["text"][:6]
    [pair] = await client.send(
        Request("sign-in", "POST", f"{auth}/signup", data=json.dumps(signup))
    )
    token = pair.json["access_token"]
    renewal = json.dumps({"refresh_token": pair.json["refresh_token"]})
    first, _, _, renewed = await client.send(
        Request("upload", "POST", creatives, token, photo),
        Request("refused", "POST", creatives, f"{token[:-4]}AAAA", photo),
        Request("too large", "POST", creatives, token, large),
        Request("refresh", "POST", f"{auth}/refresh", data=renewal),
    )
    token = renewed.json["access_token"]
    second, listed, file = await client.send(
        Request("again", "POST", creatives, token, photo),
        Request("list", "GET", creatives, token),
        Request("download", "GET", urljoin(route.front, first.json["file_url"]), token),
    )
    ids = {one["id"] for one in listed.json["items"]}
    assert ids == {first.json["id"], second.json["id"]}
    assert hashlib.sha256(file.body).hexdigest() == first.json["sha256"]
    await asyncio.sleep(IDLE_SECONDS)
    renewal = json.dumps({"refresh_token": renewed.json["refresh_token"]})
    *_, refused, ended = await client.send(
        Request("idle", "GET", creatives, token),
        Request("sign-out", "POST", f"{auth}/logout", token),
        Request("signed out", "GET", creatives, token),
        Request("no refresh", "POST", f"{auth}/refresh", data=renewal),
    )
    assert (refused.json["code"], ended.json["code"]) == ("token_revoked", "refresh_invalid")


def table(walks: dict[str, Walk]) -> list[str]:
    """Return the lines of a table: for each client, the status of each step and the time taken."""
    lines = [
        f"| {'client':<17} | {' | '.join(STEPS)} | seconds |",
        f"| --- {'| --- ' * len(STEPS)}| --: |",
    ]
    for name, walk in walks.items():
        cells = [f"{walk.statuses.get(step, '-'):^{len(step)}}" for step in STEPS]
        last = walk.missing or f"{walk.seconds:7.1f}"
        lines.append(f"| {name:<17} | {' | '.join(cells)} | {last} |")
    return lines
