"""An alarm: at once, then once a minute with the number of times."""

import logging

import structlog

from shared.alarm import Alarm


def test_alarm_is_logged_at_once_and_then_once_a_minute() -> None:
    alarm = Alarm("storage.full")
    with structlog.testing.capture_logs() as logs:
        for now in (0, 1, 59.9, 60, 61, 500):
            alarm.record(now, cause="no room")
    assert [entry["times"] for entry in logs] == [1, 3, 2]
    assert {(entry["event"], entry["log_level"]) for entry in logs} == {("storage.full", "error")}


def test_alarm_of_another_level_is_logged_at_that_level() -> None:
    with structlog.testing.capture_logs() as logs:
        Alarm("message.ignored", logging.WARNING).record(0)
    assert [entry["log_level"] for entry in logs] == ["warning"]
