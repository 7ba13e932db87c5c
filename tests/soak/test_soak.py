"""The parts of the soak by themselves: logs, settings, processes, codes, the chart."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from aiohttp import ClientSession
from PIL import Image

from auth_service.settings import AuthSettings
from media_service.settings import MediaSettings
from shared.limits import parse_rates
from tests.soak.chart import COLOURS, WIDTH, Panel, draw_chart, nice_step
from tests.soak.codes import receiving_codes
from tests.soak.log_lines import server_troubles, service_troubles
from tests.soak.options import Options, read_options, stack_settings
from tests.soak.processes import Usage, part_of, usage_of
from tests.soak.record import Record


def test_service_log_only_unexplained_lines_are_troubles(tmp_path: Path) -> None:
    log = tmp_path / "log"
    known = {"level": "warning", "event": "setting.refused_in_production"}
    strange = {"level": "warning", "event": "delivery.taken_over"}
    failed = {"level": "error", "event": "request.failed"}
    fine = {"level": "info", "event": "request.answered"}
    before = ["PostgreSQL keeps its data in /x", json.dumps(known), json.dumps(strange)]
    after = ["ready http://127.0.0.1:1", json.dumps(fine), json.dumps(failed), "Traceback"]
    log.write_text("\n".join([*before, *after]) + "\n")
    assert list(service_troubles(log)) == [json.dumps(strange), json.dumps(failed), "Traceback"]


def test_server_log_only_warnings_since_the_beginning_are_troubles(tmp_path: Path) -> None:
    log = tmp_path / "valkey.log"
    early = "7:M 29 Nov 2026 20:11:44.569 # WARNING: overcommit_memory\n"
    late = "7:M 29 Nov 2026 20:12:44.569 # Out of memory\n"
    deadlock = "2026-11-29 20:12:45 UTC [9] ERROR:  deadlock detected\n"
    log.write_text(early + late + "7:M 29 Nov 2026 20:12:46.569 * Ready\n" + deadlock)
    found = list(server_troubles(log, len(early)))
    assert found == [f"valkey: {late[:-1]}", f"valkey: {deadlock[:-1]}"]


def test_settings_every_limit_is_high_enough_for_honest_load() -> None:
    settings = stack_settings(Options(), "http://127.0.0.1:1/sms")
    limits = [*AuthSettings.limit_names(), *MediaSettings.limit_names()]
    assert limits
    assert all(parse_rates(settings[name.upper()])[0].max_events >= 10**6 for name in limits)


@pytest.mark.parametrize(("minutes", "life"), [(0.1, 30), (20, 300), (60, 600)])
def test_token_life_ends_before_the_second_half(minutes: float, life: int) -> None:
    assert Options(minutes=minutes).token_life == life


def test_options_without_length_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read_options(["--minutes", "0"])
    assert "0 is not above 0" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_usage_of_a_process_counts_its_sockets() -> None:
    before = usage_of(os.getpid())
    with socket.socket():
        after = usage_of(os.getpid())
    assert before is not None
    assert after is not None
    assert before.memory > 1
    assert (before.connections or 0) + 1 == after.connections


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    ("title", "part"),
    [
        ("postgres: auth auth 127.0.0.1(5432) idle", "PostgreSQL"),
        ("postgres: media media [local] SELECT", "PostgreSQL"),
        ("postgres: checkpointer ", None),
        ("postgres: autovacuum worker auth", None),
        ("/usr/lib/postgresql/15/bin/postgres", None),
    ],
)
def test_part_of_a_postgresql_process_needs_a_connection(title: str, part: str | None) -> None:
    with subprocess.Popen([title, "60"], executable=shutil.which("sleep")) as process:
        try:
            while not Path(f"/proc/{process.pid}/cmdline").read_bytes():
                time.sleep(0.01)  # Linux is still preparing its arguments
            assert part_of(process.pid) == part
        finally:
            process.kill()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_usage_without_files_leaves_open_files_out() -> None:
    with Path(__file__).open():
        usages = [usage_of(os.getpid(), files=files) for files in (True, False)]
    counts = [usage.descriptors for usage in usages if usage is not None]
    assert counts[0] > counts[1]


def test_usage_of_an_ended_process_is_none() -> None:
    assert usage_of(2**30) is None


def test_usage_with_unreadable_sockets_has_an_unknown_sum() -> None:
    assert Usage(1, 2, 3, None) + Usage(1, 2, 3, 4) == Usage(2, 4, 6, None)


def test_record_counts_a_request_without_an_answer() -> None:
    record = Record()
    with record.timed("/me"):
        pass
    assert record.statuses["/me"] == {0: 1}
    assert record.requests == 1


async def test_codes_are_read_once_in_the_order_of_arrival() -> None:
    async with receiving_codes() as codes, ClientSession() as http:
        for text in ("123456 is your code", "654321 is your code", "a notice"):
            body = {"to": "+919800000000", "text": text}
            async with http.post(codes.address, json=body) as answer:
                assert answer.status == 204
        assert [await codes.read("+919800000000") for _ in range(2)] == ["123456", "654321"]


@pytest.mark.parametrize(("highest", "step"), [(0.9, 0.2), (6, 1), (100, 20), (350, 100)])
def test_chart_axis_has_round_steps(highest: float, step: float) -> None:
    assert nice_step(highest) == pytest.approx(step)


def test_chart_each_line_has_its_colour(tmp_path: Path) -> None:
    lines = {"a": [(0.0, 1.0), (60.0, 5.0)], "b": [(0.0, 9.0), (60.0, 2.0)], "unreadable": []}
    draw_chart([Panel("things", lines)], {"load": 30}, tmp_path / "chart.png")
    with Image.open(tmp_path / "chart.png") as chart:
        assert (chart.format, chart.width) == ("PNG", WIDTH)
        used = {colour for _, colour in chart.convert("RGB").getcolors(2**16) or []}
    for colour in COLOURS[:2]:
        assert tuple(bytes.fromhex(colour[1:])) in used
