"""A client of media_service, and the forms that it sends."""

import asyncio
import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from aiohttp import ClientSession

from tests.support.auth_client import Answer, read
from tests.support.clock import MovableClock
from tests.support.pictures import encode
from tests.support.tokens import Mint

MEDIA = "/v1/media"
BOUNDARY = "frontier"
FORM = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


def day(ahead: int = 200) -> str:
    """A day so many days from now, in UTC."""
    return (datetime.now(UTC) + timedelta(days=ahead)).date().isoformat()


def part(name: str, data: bytes | str, more: str | bytes = b"", head: bytes = b"") -> bytes:
    """One part of a form; `more` follows the name, `head` is further header lines."""
    tail = more.encode() if isinstance(more, str) else more
    content = data.encode() if isinstance(data, str) else data
    disposition = b'Content-Disposition: form-data; name="%b"%b' % (name.encode(), tail)
    return b"--frontier\r\n" + disposition + b"\r\n" + head + b"\r\n" + content + b"\r\n"


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--frontier--\r\n"


def picture_form(picture: bytes | None = None, *more: bytes, when: str | None = None) -> bytes:
    """The usual form: a picture, a day, and whatever else."""
    content = encode() if picture is None else picture
    file = part("file", content, '; filename="photo.jpg"')
    return form(file, part("scheduled_at", when or day()), *more)


def files_below(files: Path) -> list[Path]:
    """Every file below the service's directory, which may remove folders meanwhile."""
    return [Path(folder, name) for folder, _, names in os.walk(files) for name in names]


def stored_files(files: Path, variant: str = "original") -> list[Path]:
    """Where a local store has that variant of its creatives."""
    return sorted((files / "objects").glob(f"*/*/{variant}"))


@dataclass(frozen=True)
class MediaClient:
    """One user of media_service."""

    http: ClientSession
    mint: Mint
    user_id: UUID
    token: str

    @classmethod
    def of(cls, http: ClientSession, mint: Mint, user_id: UUID | None = None) -> "MediaClient":
        user = user_id or uuid4()
        return cls(http, mint, user, mint.token(user))

    def as_other_user(self, *roles: str) -> "MediaClient":
        user = uuid4()
        return replace(self, user_id=user, token=self.mint.token(user, roles=roles))

    def at(self, moment: datetime) -> "MediaClient":
        """The same user with a token of another time."""
        second = int(moment.timestamp())
        times = {"iat": second, "nbf": second, "auth_time": second, "exp": second + 86_400}
        return replace(self, token=self.mint.token(self.user_id, **times))

    @property
    def address(self) -> tuple[str, int]:
        base = self.http._base_url
        assert base is not None
        assert base.host is not None
        assert base.port is not None
        return base.host, base.port

    async def call(self, method: str, path: str, **options: Any) -> Answer:
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        async with self.http.request(method, MEDIA + path, headers=headers, **options) as response:
            return await read(response)

    async def send(self, body: bytes, **options: Any) -> Answer:
        headers = {**FORM, **options.pop("headers", {})}
        return await self.call("POST", "/creatives", data=BytesIO(body), headers=headers, **options)

    async def upload(
        self, *more: bytes, picture: bytes | None = None, when: str | None = None
    ) -> Any:
        answer = await self.send(picture_form(picture, *more, when=when))
        assert answer.status == 201, answer.body
        return answer.body

    async def wait_out(self, clock: MovableClock, **span: float) -> "MediaClient":
        """Move the clock, and wait until the revocation cache is fresh again."""
        clock.advance(**span)
        later = self.at(clock.now())
        async with asyncio.timeout(10):
            while (await later.call("GET", "/creatives")).status != 200:
                await asyncio.sleep(0.01)
        return later

    async def raw(self, *pieces: bytes, seconds: float = 15) -> bytes:
        """Send bytes as they are over a connection of their own; return all that comes back."""
        reader, writer = await asyncio.open_connection(*self.address)
        try:
            async with asyncio.timeout(seconds):
                for piece in pieces:
                    writer.write(piece)
                    await writer.drain()
                return await reader.read()
        finally:
            writer.close()

    def head(self, *lines: str, length: int | None = None) -> bytes:
        """The header of an upload, as bytes."""
        given = [
            "POST /v1/media/creatives HTTP/1.1",
            "Host: localhost",
            f"Authorization: Bearer {self.token}",
            f"Content-Type: {FORM['Content-Type']}",
            *([f"Content-Length: {length}"] if length is not None else []),
            *lines,
        ]
        return "\r\n".join([*given, "", ""]).encode()
