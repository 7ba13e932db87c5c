"""A body as chunks: few at once, counted, and let go of."""

import asyncio
from collections.abc import Sequence

import pytest

from media_service.upload.body import CHUNK_BYTES, UploadBody, UploadLimits
from media_service.upload.errors import UploadTooSlow
from shared.clock import SystemClock
from shared.errors import MalformedRequest


class Stream:
    """A body that is here already, or is still to come, or breaks off."""

    def __init__(
        self, body: bytes, error: Exception | None = None, *, silent: bool = False
    ) -> None:
        self.body, self.error, self.silent = body, error, silent
        self.arrived = asyncio.Event()

    async def read(self, n: int = -1, /) -> bytes:
        if not self.body and self.error:
            raise self.error
        if not self.body and self.silent:
            await self.arrived.wait()
        return self.read_nowait(n)

    def read_nowait(self, n: int = -1, /) -> bytes:
        taken, self.body = self.body[:n], self.body[n:]
        return taken


def body(stream: Stream, slots: asyncio.Semaphore | None = None, **limits: float) -> UploadBody:
    bounds = UploadLimits(10_000_000, patience=limits.get("patience", 10))
    return UploadBody(stream, bounds, slots or asyncio.Semaphore(1), SystemClock())


async def test_body_chunks_are_bounded_and_complete() -> None:
    sent, got = bytes(range(256)) * 4000, []

    async def take(pieces: Sequence[bytes]) -> None:
        got.append(b"".join(pieces))

    await body(Stream(sent)).deliver(take)
    assert b"".join(got) == sent
    assert max(map(len, got)) == CHUNK_BYTES


async def test_body_bytes_after_a_wait_are_delivered() -> None:
    stream, got = Stream(b"", silent=True), []

    async def take(pieces: Sequence[bytes]) -> None:
        got.append(b"".join(pieces))
        stream.silent = False

    delivering = asyncio.create_task(body(stream).deliver(take))
    await asyncio.sleep(0)
    assert not got
    stream.body = b"what has come"
    stream.arrived.set()
    await delivering
    assert got == [b"what has come"]


async def test_body_chunks_in_progress_stay_within_the_slots() -> None:
    slots, now, most = asyncio.Semaphore(2), 0, 0

    async def take(_pieces: Sequence[bytes]) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.001)
        now -= 1

    bodies = [body(Stream(bytes(1_000_000)), slots) for _ in range(6)]
    await asyncio.gather(*(one.deliver(take) for one in bodies))
    assert most == 2


async def test_body_refused_chunk_frees_its_slot() -> None:
    slots = asyncio.Semaphore(1)

    async def refuse(_pieces: Sequence[bytes]) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await body(Stream(b"x"), slots).deliver(refuse)
    assert not slots.locked()


async def test_body_silent_is_too_slow_and_broken_is_malformed() -> None:
    async def take(_pieces: Sequence[bytes]) -> None:
        return

    with pytest.raises(UploadTooSlow):
        await body(Stream(b"x", silent=True), patience=0.02).deliver(take)
    with pytest.raises(MalformedRequest):
        await body(Stream(b"x", ConnectionResetError())).deliver(take)
