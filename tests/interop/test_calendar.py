"""Calendar feeds, read by ical.js, which Thunderbird uses; vobject in `tests/unit` agrees with it.

Neither of them is the library that writes the feeds.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from media_service.feed.vcalendar import write_calendar
from tests.support.auth_client import AuthClient
from tests.support.calendars import CASES, ZONES, Parsed, expected, parse
from tests.support.media_client import FORM, day, part, picture_form

FOLDER = Path(__file__).parent / "calendar"


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program that reads, with its package installed beside it."""
    # Node is no need of this project's users. CI has it, so there nothing is left out.
    if not shutil.which("npm") and "CI" not in os.environ:
        pytest.skip("not installed: npm")
    folder = tmp_path_factory.mktemp("calendar")
    shutil.copytree(FOLDER, folder, dirs_exist_ok=True)
    run(["sh", "build"], folder)
    return folder / "read.mjs"


def run(command: list[str], folder: Path, given: bytes = b"") -> bytes:
    done = subprocess.run(
        command, cwd=folder, input=given, capture_output=True, timeout=300, check=False
    )
    assert done.returncode == 0, (done.stdout + done.stderr).decode()
    return done.stdout


def read(reader: Path, calendar: bytes) -> tuple[Any, list[Parsed]]:
    """What ical.js finds: of the whole calendar, and its events."""
    found = json.loads(run(["node", reader.name], reader.parent, calendar))
    return found, [Parsed(**event) for event in found["events"]]


def test_ical_js_reads_every_case_as_it_was_meant(reader: Path) -> None:
    calendar = write_calendar([event for event, _ in CASES], ZONES)
    found, events = read(reader, calendar)
    assert events == expected() == parse(calendar)
    assert found["refresh"] == "PT1H"
    assert set(found["components"]) == {"vevent"}


def test_ical_js_reads_a_calendar_without_events(reader: Path) -> None:
    found, events = read(reader, write_calendar([], {}))
    assert (found["components"], events) == (["vtimezone"], [])


async def test_ical_js_reads_a_served_feed_as_vobject_does(address: str, reader: Path) -> None:
    number = f"+9198{int.from_bytes(os.urandom(4)) % 10**8:08}"
    async with ClientSession(f"{address}") as http:
        token = (await AuthClient(http).sign_in(number))["access_token"]
        signed_in = {"Authorization": f"Bearer {token}"}
        for when in (day(20), f"{day(21)}T09:30:00"):
            form = picture_form(None, part("title", "a, b; c\\n"), when=when)
            path, headers = "/v1/media/creatives", signed_in | FORM
            async with http.post(path, data=form, headers=headers) as answer:
                assert answer.status == 201, await answer.text()
        async with http.post("/v1/media/feed", headers=signed_in) as answer:
            url = (await answer.json())["url"]
        async with http.get(url) as answer:
            assert answer.status == 200
            calendar = await answer.read()
    _, events = read(reader, calendar)
    assert events == parse(calendar)
    assert [event.start for event in events] == [day(20), f"{day(21)}T09:30:00Z"]
    assert {event.summary for event in events} == {"a, b; c\\n"}
