"""Lost files: counted, listed, and ended by an operator, so that the alarm ends too."""

import re
from collections.abc import Awaitable, Callable
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from media_service import app
from tests.support.command_process import run_command, wait_for_exit
from tests.support.database import Connection
from tests.support.media_client import FORM, MediaClient, files_below, form, part
from tests.support.pictures import encode
from tests.support.products import create_product
from tests.support.publishing import all_events
from tests.support.waiting import until

Command = Callable[..., Awaitable[tuple[int | None, str]]]


@pytest.fixture
def run_lost_command(media_environment: dict[str, str], tmp_path: Path) -> Command:
    """Runs `python -m media_service lost`; its exit code and what it prints."""

    async def run(*arguments: str, **changes: str) -> tuple[int | None, str]:
        output, environment = tmp_path / "lost.log", media_environment | changes
        command = ("lost", *arguments)
        async with run_command(
            "media_service", *command, environment=environment, output=output
        ) as it:
            code = await wait_for_exit(it)
        return code, output.read_text()

    return run


def remove_files(files: Path, picture_id: str, *variants: str) -> None:
    for variant in variants:
        [path] = (files / "objects").glob(f"*/{picture_id}/{variant}")
        path.unlink()


async def test_lost_files_are_listed_by_picture(
    media: MediaClient, files: Path, run_lost_command: Command
) -> None:
    assert await run_lost_command() == (0, "")
    first, _kept = await media.upload(), await media.upload()
    remove_files(files, first["id"], "original", "thumb")
    code, text = await run_lost_command()
    assert (code, text) == (
        1,
        f"{first['id']} of user {media.user_id} lacks original, thumb\n",
    )


async def test_lost_creative_is_deleted_with_what_is_left_of_it(
    media: MediaClient, files: Path, run_lost_command: Command
) -> None:
    gone, kept = await media.upload(), await media.upload()
    remove_files(files, gone["id"], "preview")
    code, text = await run_lost_command("--delete", gone["id"], kept["id"], unknown := str(uuid4()))
    assert code == 1
    assert f"deleted: {gone['id']}" in text
    assert f"kept: {kept['id']}" in text
    assert f"kept: {unknown}" in text
    assert (await media.call("GET", f"/creatives/{gone['id']}")).status == 404
    assert (await media.call("GET", f"/creatives/{kept['id']}/file")).status == 200
    await until(lambda: not [path for path in files_below(files) if gone["id"] in str(path)])
    assert await run_lost_command() == (0, "")


async def test_lost_photo_is_taken_off_its_product_with_an_event(
    media: MediaClient, media_db: Connection, files: Path, run_lost_command: Command
) -> None:
    product = await create_product(media)
    body = BytesIO(form(part("photo", encode(), '; filename="lamp.png"')))
    path = f"/products/{product['id']}/photo"
    assert (await media.call("PUT", path, data=body, headers=FORM)).status == 200
    [photo] = (files / "objects").glob("*/*/original")
    photo.unlink()
    code, _ = await run_lost_command("--delete", photo.parent.name)
    assert code == 0
    shown = await media.call("GET", f"/products/{product['id']}")
    assert shown.status == 200
    assert shown.body["photo_url"] is None
    assert shown.body["version"] > product["version"]
    latest = (await all_events(media_db))[-1]
    assert (latest["type"], latest["data"]) == ("product.updated", shown.body)


async def test_command_without_the_database_is_one_line(run_lost_command: Command) -> None:
    away = {"MEDIA_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
    code, text = await run_lost_command(**away)
    assert code == 1
    [line] = text.splitlines()
    assert line.startswith("lost: ServiceUnavailable: The database cannot be reached, caused by ")


async def test_gauge_counts_files_and_comes_down(
    serving_media: Callable[..., Any],
    files: Path,
    run_lost_command: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(app, "RECONCILE_SECONDS", 0.05)
    async with serving_media() as media:

        async def count() -> float:
            async with media.http.get("/metrics") as answer:
                text = await answer.text()
            assert "# HELP media_files_missing Files" in text
            [value] = re.findall(r"^media_files_missing (\S+)$", text, re.MULTILINE)
            return float(value)

        gone = await media.upload()
        remove_files(files, gone["id"], "original", "thumb")

        async def both_are_counted() -> bool:
            return await count() == 2

        async def none_is_counted() -> bool:
            return await count() == 0

        await until(both_are_counted)
        assert (await run_lost_command("--delete", gone["id"]))[0] == 0
        await until(none_is_counted)
