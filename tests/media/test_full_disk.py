"""A disk that is full, as the kernel says it: refused, nothing half-kept, and well again by itself.

The limit on a file's size is set from outside, on the running processes: writes fail in the middle.
"""

import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog

from tests.support.media_client import MediaClient, files_below, picture_form
from tests.support.pictures import encode, grain

LIMIT = 256 * 1024


@contextmanager
def limited_file_size(process: int, room: int) -> Iterator[None]:
    """Let no file of the process grow beyond `room` bytes."""
    before = resource.prlimit(process, resource.RLIMIT_FSIZE)
    resource.prlimit(process, resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        yield
    finally:
        resource.prlimit(process, resource.RLIMIT_FSIZE, before)


def find_decoder(service: int) -> int:
    children = Path(f"/proc/{service}/task/{service}/children").read_text().split()
    named = {int(one): Path(f"/proc/{one}/cmdline").read_bytes() for one in children}
    return next(one for one, command in named.items() if b"image.worker" in command)


async def refused(media: MediaClient, picture: bytes, files: Path) -> None:
    answer = await media.send(picture_form(picture))
    assert (answer.status, answer.code) == (507, "storage_full")
    assert files_below(files) == []
    assert (await media.call("GET", "/creatives")).body["items"] == []


async def test_disk_full_during_upload_is_507_until_room_returns(
    running_media: Callable[..., Any], files: Path
) -> None:
    async with running_media() as (service, media):
        assert service.pid is not None
        with limited_file_size(service.pid, LIMIT):
            await refused(media, grain(400), files)
            assert (await media.send(picture_form(encode("PNG")))).status == 201
        assert (await media.send(picture_form(grain(400)))).status == 201


@pytest.mark.parametrize("room", [0, 1000, LIMIT])
async def test_disk_full_during_rendering_is_507_until_room_returns(
    room: int, running_media: Callable[..., Any], files: Path
) -> None:
    async with running_media() as (service, media):
        assert service.pid is not None
        with limited_file_size(find_decoder(service.pid), room):
            await refused(media, grain(400), files)
        assert (await media.send(picture_form(grain(400)))).status == 201
        assert len(files_below(files)) == 3


async def test_disk_full_is_logged_once_with_its_cause(
    serving_media: Callable[..., Any], files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving_media() as media:
        monkeypatch.setattr("os.write", _refuse_to_write)
        with structlog.testing.capture_logs() as logs:
            for _ in range(3):
                refused = await media.send(picture_form())
                assert (refused.status, refused.code) == (507, "storage_full")
        monkeypatch.undo()
        assert files_below(files) == []
        assert (await media.call("GET", "/creatives")).body["items"] == []
        assert (await media.send(picture_form())).status == 201
    [alarm] = [entry for entry in logs if entry["event"] == "storage.full"]
    assert alarm["log_level"] == "error"
    assert "No space left on device" in alarm["cause"]
    assert alarm["route"] == "/v1/media/creatives"


async def test_unwritable_objects_folder_is_503_until_it_is_mended(
    serving_media: Callable[..., Any], files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mkdir = Path.mkdir

    def refuse(path: Path, *arguments: Any, **options: Any) -> None:
        if files / "objects" in path.parents:
            raise PermissionError(13, "Permission denied", str(path))
        mkdir(path, *arguments, **options)

    async with serving_media() as media:
        picture_id = (await media.send(picture_form())).body["id"]
        with monkeypatch.context() as patch:
            patch.setattr(Path, "mkdir", refuse)
            unavailable = await media.send(picture_form())
            assert (unavailable.status, unavailable.code) == (503, "service_unavailable")
            assert unavailable.headers["Retry-After"] == "5"
            download = await media.call("GET", f"/creatives/{picture_id}/file")
            assert download.status == 200
        assert len(files_below(files)) == 3
        assert (await media.send(picture_form())).status == 201


def _refuse_to_write(_descriptor: int, _data: bytes) -> int:
    raise OSError(28, "No space left on device")
