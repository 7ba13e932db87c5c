"""A form's parts in memory: all faults are named at once."""

import asyncio
from pathlib import Path

import pytest

from media_service.creative.schemas import FILE_FIELD, UploadForm
from media_service.storage.temp_file import TempFile
from media_service.upload.body import UploadBody, UploadLimits
from media_service.upload.form import FormSchema, read_form
from shared.clock import SystemClock
from shared.errors import BodyTooLarge, MalformedRequest, ValidationFailed


class Staged(TempFile):
    """A temporary file in memory."""

    def __init__(self) -> None:
        super().__init__(Path("/nowhere"))
        self.data = b""

    async def write(self, *pieces: bytes | memoryview) -> None:
        self.data += b"".join(pieces)


class Stream:
    """A body that comes so many bytes at a time."""

    def __init__(self, body: bytes, step: int) -> None:
        self.body, self.step = body, step

    async def read(self, n: int = -1, /) -> bytes:
        return self.read_nowait(n)

    def read_nowait(self, n: int = -1, /) -> bytes:
        taken, self.body = self.body[: min(n, self.step)], self.body[min(n, self.step) :]
        return taken


def part(name: str, data: bytes, more: str = "") -> bytes:
    head = f'--b\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'
    return head.encode() + data + b"\r\n"


async def read(body: bytes, *, step: int = 1000, most: int = 100_000) -> tuple[str, bytes]:
    limits, temp_file = UploadLimits(most), Staged()
    source = UploadBody(Stream(body, step), limits, asyncio.Semaphore(1), SystemClock())
    schema = FormSchema(UploadForm, FILE_FIELD)
    form = await read_form(source, b"b", temp_file, limits, schema)
    return f"{form.file}|{form.scheduled_at}|{form.timezone}|{form.title}", temp_file.data


WHOLE = part("file", b"\xff\r\n--a", '; filename="a.png"') + part("scheduled_at", b"2027-01-01")


@pytest.mark.parametrize("step", [1, 7, 1000])
async def test_form_in_chunks_of_any_size_is_read(step: int) -> None:
    read_ = await read(WHOLE + part("title", "ä".encode()) + b"--b--", step=step)
    assert read_ == ("a.png|2027-01-01|UTC|ä", b"\xff\r\n--a")


async def test_form_invalid_fields_are_all_reported() -> None:
    body = (
        part("title", b"\xff")
        + part("colour", b"red")
        + part("title", b"again")
        + part("timezone", b"x" * 5000)
    )
    with pytest.raises(ValidationFailed) as refused:
        await read(body + b"--b--")
    assert {(error.field, error.code) for error in refused.value.errors} == {
        ("title", "text"),
        ("title", "repeated"),
        ("colour", "unknown"),
        ("timezone", "string_too_long"),
        ("file", "missing"),
        ("scheduled_at", "missing"),
    }
    (colour,) = (error for error in refused.value.errors if error.field == "colour")
    assert colour.message == "no such field; there are: file, scheduled_at, timezone, title"


async def test_form_file_or_body_too_large_is_refused() -> None:
    with pytest.raises(BodyTooLarge):
        await read(WHOLE + part("x", b"") + b"--b--", most=5)
    with pytest.raises(BodyTooLarge):
        await read(WHOLE + part("x", bytes(70_000)) + b"--b--", most=100)


async def test_form_without_its_end_is_malformed() -> None:
    with pytest.raises(MalformedRequest):
        await read(WHOLE)
