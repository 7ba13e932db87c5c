"""Log lines: no token, code, whole number or address leaves, wherever in the event it hides."""

import base64
import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from shared.logs import (
    DESTINATION_KEYS,
    HIDDEN,
    SECRET_KEYS,
    configure_logs,
    mask,
    redact,
    render_json,
    scrub,
)
from shared.opaque_tokens import encode_token

NUMBER = "+919876543210"
REFRESH = encode_token("chr_", bytes(range(32)))
DEVICE, FEED = encode_token("chd_", bytes(range(32))), encode_token("chf_", bytes(range(32)))
JWT = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJlLV8"
WEBHOOK_SECRET = "whsec_" + base64.b64encode(b"\xfb\xff\xfe" * 10 + b"x").decode()
MAIL = "asha.rao@example.com"


def redacted(**event: Any) -> dict[str, Any]:
    return dict(redact(None, "info", event))


@pytest.mark.parametrize("key", sorted(SECRET_KEYS))
def test_redaction_hides_secret_keys_in_any_spelling(key: str) -> None:
    for name in (key, key.upper(), key.replace("_", "-").title()):
        for value in ("123456", 123456, ["123456"], None):
            assert redacted(**{name: value}) == {name: HIDDEN}


@pytest.mark.parametrize("key", sorted(DESTINATION_KEYS))
def test_redaction_shows_last_two_characters_of_destinations(key: str) -> None:
    assert redacted(**{key: NUMBER}) == {key: "…10"}
    assert redacted(**{key: MAIL}) == {key: "…ao"}


def test_redaction_keeps_harmless_values() -> None:
    event = {
        "event": "request.answered",
        "route": "/v1/auth/sessions/{id}",
        "status": 200,
        "ms": 1.5,
        "ready": True,
        "nothing": None,
        "at": "2027-03-01T12:00:00.250000+00:00",
        "id": "0190c8a0-1234-7000-8000-000000000001",
        "address": "http://127.0.0.1:8000",
        "stream": "1700000000000-0",
        "sum": "1 + 2 = 3",
    }
    assert redacted(**event) == event


AROUND = [
    "{}",
    "{}.",
    "{}: failed",
    "({})",
    "'{}'",
    "to={}&x=1",
    "{}-",
    "{}, and more",
    "Key (phone_number)=({}) already exists.",
    "first line\n  {}\nlast line",
    "https://api.example/{}/Messages.json",
]


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize(
    "secret",
    [
        NUMBER,
        "+91 98765 43210",
        "+91-98765-43210",
        "%2B919876543210",
        REFRESH,
        DEVICE,
        FEED,
        JWT,
        MAIL,
    ],
)
def test_scrub_hides_secrets_in_free_text(secret: str, around: str) -> None:
    shown = scrub(around.format(secret))
    assert secret not in shown
    for piece in (*secret.split("."), secret[2:-3], "9876", "98765"):
        if len(piece) > 3:
            assert piece not in shown
    before, _, after = around.partition("{}")
    assert shown.startswith(before)
    assert shown.endswith(after.removeprefix("-"))  # which may end a token as well


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://user:p4ss:w@localhost/auth", f"postgresql://{HIDDEN}@localhost/auth"),
        ("redis://:p4ss@127.0.0.1:1 away", f"redis://{HIDDEN}@127.0.0.1:1 away"),
        ("http://127.0.0.1:8000/a@b", "http://127.0.0.1:8000/a@b"),
    ],
)
def test_scrub_hides_passwords_in_urls(text: str, shown: str) -> None:
    assert scrub(text) == shown


@pytest.mark.parametrize(
    "text", [f"Authorization: Bearer {JWT}", "bearer abc.def/ghi+j=", f"BEARER  {REFRESH}"]
)
def test_scrub_hides_bearer_tokens(text: str) -> None:
    shown = scrub(text)
    assert shown.endswith(HIDDEN)
    assert text.rpartition(" ")[2] not in shown


@given(st.from_regex(r"\+[1-9][0-9]{7,14}", fullmatch=True), st.text(max_size=20))
def test_scrub_hides_e_164_numbers_in_any_surroundings(number: str, around: str) -> None:
    if number not in around:
        assert number not in scrub(f"{around} {number}{around}")


@pytest.mark.parametrize(
    "around", ["{}", "unknown key: {}", "'{}'", "({})", "{}, and more", "a={}&b"]
)
def test_scrub_hides_webhook_secrets(around: str) -> None:
    assert scrub(around.format(WEBHOOK_SECRET)) == around.format(HIDDEN)


def test_redaction_covers_nested_values() -> None:
    event = redacted(
        outer={
            "Set-Cookie": "session=x",
            "list": [
                {"token": "t"},
                f"Bearer {JWT}",
                (NUMBER,),
                {"deeper": {"otp": 1, "to": MAIL}},
            ],
        },
        many={f"sent to {NUMBER}"},
    )
    assert event == {
        "outer": {
            "Set-Cookie": HIDDEN,
            "list": [{"token": HIDDEN}, HIDDEN, ["…10"], {"deeper": {"otp": HIDDEN, "to": "…ao"}}],
        },
        "many": ["sent to …10"],
    }


def test_redaction_covers_text_of_objects() -> None:
    event = redacted(error=ValueError(f"no such number {NUMBER}"), raw=REFRESH.encode())
    assert event == {"error": "no such number …10", "raw": f"b'{HIDDEN}'"}


def test_redaction_leaves_the_callers_values_unchanged() -> None:
    inner = {"token": "t"}
    redacted(inner=inner)
    assert inner == {"token": "t"}


@given(st.text())
def test_mask_shows_at_most_two_characters(text: str) -> None:
    assert len(mask(text)) <= 3


SENSITIVE = st.sampled_from(
    [NUMBER, "%2B919876543210", REFRESH, JWT, WEBHOOK_SECRET, MAIL, "BEARER x", "//u:p@h"]
)
TEXTS = st.tuples(st.text(max_size=9), st.just("") | SENSITIVE, st.text(max_size=9)).map("".join)
KEYS = st.sampled_from(["event", "route", "To", "code", "Set-Cookie"]) | st.text(max_size=9)
VALUES = st.recursive(
    TEXTS | st.none() | st.booleans() | st.integers() | st.binary(max_size=9),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=2),
    max_leaves=4,
)


@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_rendered_line_is_redacted_like_its_parts(event: dict[str, Any]) -> None:
    assert json.loads(render_json(None, "info", event)) == redacted_by_pieces(event)


def redacted_by_pieces(event: dict[str, Any]) -> object:
    return json.loads(json.dumps(redact(None, "info", event)))


@given(TEXTS)
def test_rendered_line_is_scrubbed(text: str) -> None:
    assert json.loads(render_json(None, "info", {"event": text})) == {"event": scrub(text)}


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """Returns what was logged, with the logging of the suite put back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield lambda: capsys.readouterr().out
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def fail_with(text: str) -> None:
    raise LookupError(text)


@pytest.mark.parametrize("style", ["json", "console"])
def test_logged_tracebacks_and_library_records_are_scrubbed(
    printed: Callable[[], str], style: str
) -> None:
    configure_logs("info", style)
    ours, library = structlog.get_logger(), logging.getLogger("some.library")
    try:
        fail_with(f"{NUMBER} {REFRESH} {JWT} {MAIL}")
    except LookupError as wrong:
        ours.exception("task.failed", error=wrong, headers={"Authorization": JWT})
        library.exception("sending to %s with %s failed", NUMBER, REFRESH)
        library.warning("more", extra={"token": REFRESH, "detail": [MAIL]})
    text = printed()
    assert "LookupError" in text
    assert "task.failed" in text
    assert "sending to" in text
    for secret in (NUMBER, REFRESH, JWT, MAIL, "9876543210"):
        assert secret not in text


def test_json_line_has_timestamp_logger_level_and_context(printed: Callable[[], str]) -> None:
    configure_logs("warning", "json")
    structlog.contextvars.bind_contextvars(request_id="r-12345678")
    structlog.get_logger("here").warning("thing.happened", count=2)
    structlog.get_logger("here").info("thing.not_worth_it")
    structlog.contextvars.clear_contextvars()
    (line,) = printed().splitlines()
    event = json.loads(line)
    assert event.pop("timestamp").endswith("Z")
    assert event == {
        "event": "thing.happened",
        "level": "warning",
        "logger": "here",
        "request_id": "r-12345678",
        "count": 2,
    }


class FullDisk(io.StringIO):
    def flush(self) -> None:
        raise OSError(28, "No space left on device")


@pytest.mark.usefixtures("printed")
def test_log_write_that_fails_raises_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    full = FullDisk()
    monkeypatch.setattr("sys.stdout", full)
    configure_logs("info", "json")
    structlog.get_logger().info("request.answered")
    assert "request.answered" in full.getvalue()
