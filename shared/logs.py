"""Structured logs on standard output, with secrets and numbers taken out on the way."""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

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
        "ticket",
        "token",
    ]
)
DESTINATION_KEYS = frozenset(["destination", "email", "mobile", "phone_number", "to", "username"])
_SECRET = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*|\bch[rthc]_\w+|(?i:bearer)\s+[\w.~+/=-]+")
_NUMBER = re.compile(r"(?:\+|%2[Bb])\d[\d ().-]{5,}\d")
_USERINFO = re.compile(r"(?<=://)[^\s/@]+@")
_MAIL = re.compile(r"[^\s@=(\"'/:,;<>\[\]{]+@([\w-]+\.)+\w+")


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
    """Hide what no log line may hold: by the key's name, then by the look of the text."""
    return {key: _redacted(key, value) for key, value in event.items()}


def _redacted(key: str, value: object) -> object:
    name = key.lower().replace("-", "_")
    if name in SECRET_KEYS:
        return HIDDEN
    if name in DESTINATION_KEYS:
        return mask(str(value))
    return _cleaned(value)


def _cleaned(value: object) -> object:
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, Mapping):
        return {str(key): _redacted(str(key), item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_cleaned(item) for item in value]
    return scrub(str(value))  # what a renderer would print of it


def configure_logs(level: str, style: str) -> None:
    """Send our events and every library's through one chain that ends in `redact`."""
    before: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(default=str)
        if style == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stdout.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *before,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=before,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            redact,
            renderer,
        ],
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
