"""Structured logs on standard output, with secrets and numbers taken out on the way."""

import asyncio
import contextlib
import json
import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from functools import lru_cache
from typing import Any, Literal

import structlog

HIDDEN = "[redacted]"
SECRET_KEYS = frozenset(
    [
        "access_token",
        "authorization",
        "challenge",
        "code",
        "cookie",
        "csrf",
        "new_password",
        "otp",
        "password",
        "query_string",
        "refresh_token",
        "reset_ticket",
        "secret",
        "set_cookie",
        "signature",
        "ticket",
        "token",
    ]
)
DESTINATION_KEYS = frozenset(["destination", "email", "mobile", "phone_number", "to", "username"])
_SECRET = re.compile(
    r"eyJ[\w-]+\.[\w-]+\.[\w-]*|\bch[rthcdf]_\w+|\bwhsec_[\w+/=]+|(?i:bearer)\s+[\w.~+/=-]+"
)
_NUMBER = re.compile(r"(?:\+|%2[Bb])\d[\d ().-]{5,}\d")
_USERINFO = re.compile(r"(?<=://)[^\s/@]+@")
_MARKERS = (
    *("eyj", "chr_", "cht_", "chh_", "chc_", "chd_", "chf_", "whsec_", "bearer"),
    *("+", "%2b", "@"),
)
"""Every text that `scrub` changes holds one of these, in lower case."""
_PLAIN_TYPES = {str, int, float, bool, type(None)}
_MODULE_NAMES = structlog.stdlib.LoggerFactory(ignore_frame_names=[__name__])
_encode = json.JSONEncoder(default=str).encode
_MAIL = re.compile(r"[^\s@=(\"'/:,;<>\[\]{]+@([\w-]+\.)+\w+")


def describe_error(error: BaseException) -> str:
    """Return an error's type and text, then those of each error that caused it.

    A time-out ends the chain: its cause is a cancelled task, which explains nothing.
    """
    chain, link = [error], error.__cause__
    while link is not None and not isinstance(link, asyncio.CancelledError) and link not in chain:
        chain.append(link)
        link = link.__cause__
    return ", caused by ".join(_describe_one(link) for link in chain)


def _describe_one(error: BaseException) -> str:
    """Return the type and the text; redis-py keeps Redis' error code, as `WRONGPASS`, apart."""
    code = getattr(error, "status_code", None)
    return f"{type(error).__name__}: {f'{code} ' if isinstance(code, str) else ''}{error}"


def mask(destination: str) -> str:
    """Return the last two characters of a phone number or of a mail's local part."""
    return f"…{destination.partition('@')[0][-2:]}"


def scrub(text: str) -> str:
    """Take tokens, phone numbers and mail addresses out of free text, tracebacks included."""
    text = _SECRET.sub(HIDDEN, text)
    text = _USERINFO.sub(f"{HIDDEN}@", text)
    text = _MAIL.sub("[mail]", text)
    return _NUMBER.sub(lambda found: mask(found[0]), text)


def redact(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Hide secrets and personal data: by the key's name, then by patterns in the text."""
    return {key: _redact_value(key, value) for key, value in event.items()}


def _redact_value(key: str, value: object) -> object:
    match _classify_key(key):
        case "secret":
            return HIDDEN
        case "destination":
            return mask(str(value))
    return _redact_content(value)


@lru_cache(maxsize=1024)
def _classify_key(key: str) -> Literal["secret", "destination", "other"]:
    name = key.lower().replace("-", "_")
    if name in SECRET_KEYS:
        return "secret"
    return "destination" if name in DESTINATION_KEYS else "other"


def _redact_content(value: object) -> object:
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, Mapping):
        return {str(key): _redact_value(str(key), item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_redact_content(item) for item in value]
    return scrub(str(value))  # what a renderer would print of it


def render_json(logger: object, method: str, event: MutableMapping[str, Any]) -> str:
    """Return the event, redacted, as one line of JSON.

    Every request logs a line, and few lines hold anything that `redact` could change. So the
    rendered line is searched once, at a fifth of the cost, and redacted only if it has a marker.
    """
    if all(
        type(value) in _PLAIN_TYPES and _classify_key(key) == "other"
        for key, value in event.items()
    ):
        line = _encode(event)
        lowered = line.lower()
        if not any(trace in lowered for trace in _MARKERS):
            return line
    return _encode(redact(logger, method, event))


class _StdoutLogger:
    """A module's logger: writes each line to standard output at once."""

    def __init__(self, *name: str) -> None:
        self.name = _MODULE_NAMES(*name).name

    def write(self, line: str) -> None:
        # A line that cannot be written fails no request: the logging module does the same.
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.write(line + "\n")
            sys.stdout.flush()

    debug = info = warning = error = critical = write


def configure_logs(level: str, style: str) -> None:
    """Send our events and every library's through one chain that ends in redaction.

    Our events bypass the standard library's logging, which costs more than all the rest.
    """
    before: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]
    console = structlog.dev.ConsoleRenderer(
        colors=sys.stdout.isatty(), exception_formatter=structlog.dev.plain_traceback
    )
    ending: list[structlog.typing.Processor] = (
        [render_json] if style == "json" else [redact, console]
    )
    structlog.configure(
        processors=[*before, *ending],
        logger_factory=_StdoutLogger,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*before, structlog.stdlib.ExtraAdder()],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *ending],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
