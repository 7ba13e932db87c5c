"""Parsing of requests: strict JSON, strict models."""

import asyncio
import json
from codecs import BOM_UTF8
from collections import Counter
from math import isinf
from typing import TypeVar
from urllib.parse import parse_qsl
from uuid import UUID

from aiohttp import web
from pydantic import BaseModel

from shared.errors import (
    BodyTooLarge,
    FieldError,
    MalformedJson,
    MalformedRequest,
    NotFound,
    RequestTimeout,
    UnsupportedEncoding,
    UnsupportedMediaType,
    ValidationFailed,
)
from shared.http_connection import ask_for_body
from shared.validation import empty_to_null, field_names, refuse_duplicate_names, validate

MAX_FORM_FIELDS = 100
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
MAX_JSON_BYTES = 64 * 1024
BODY_SECONDS = 10

VALIDATION_CONTEXT: web.AppKey[object] = web.AppKey("validation_context")
"""A service's context for its models' validators, such as the known time zones."""

M = TypeVar("M", bound=BaseModel)


async def read_body(request: web.Request, model: type[M]) -> M:
    """Return the JSON body as `model`; at most 64 KiB, within 10 s.

    Raises:
        UnsupportedMediaType, BodyTooLarge, RequestTimeout, MalformedJson, ValidationFailed:
            the body is not what the route takes; all wrong fields are named at once.
    """
    _require_content_type(request, JSON)
    return _validate_body(request, model, parse_json(await _read_bytes(request)))


async def read_optional_body(request: web.Request, model: type[M]) -> M:
    """Return the body as `read_body` does; none, blanks and `null` give the model's defaults.

    A chunked body without a chunk is none: some clients send one with every POST.
    """
    if request.content_length:
        _require_content_type(request, JSON)
    body = await _read_bytes(request) if request.body_exists else b""
    if not body.removeprefix(BOM_UTF8).strip():
        return _validate(request, model, {})
    _require_content_type(request, JSON)
    value = parse_json(body)
    return _validate_body(request, model, {} if value is None else value)


async def read_form(request: web.Request, model: type[M]) -> M:
    """Return the URL-encoded form as `model`; at most 64 KiB, within 10 s.

    Raises:
        UnsupportedMediaType, BodyTooLarge, RequestTimeout, MalformedRequest, ValidationFailed:
            the body is not what the route takes.
    """
    _require_content_type(request, FORM)
    try:
        text = (await _read_bytes(request)).decode()
        pairs = parse_qsl(
            text, keep_blank_values=True, errors="strict", max_num_fields=MAX_FORM_FIELDS
        )
    except ValueError:
        raise MalformedRequest from None
    return _validate_body(request, model, dict(pairs))


def require_no_encoding(request: web.Request) -> None:
    """Accept a body as it is; `identity` is no encoding (RFC 9110 §8.4.1).

    Raises:
        UnsupportedEncoding: the body is compressed.
    """
    if request.headers.get("Content-Encoding", "").strip().lower() not in {"", "identity"}:
        raise UnsupportedEncoding


def _require_content_type(request: web.Request, expected: str) -> None:
    require_no_encoding(request)
    if request.content_type != expected:
        raise UnsupportedMediaType(f"expected Content-Type: {expected}")


def read_query(request: web.Request, model: type[M]) -> M:
    """Return the query string as `model`; a name given twice is refused.

    A model with `extra="ignore"` is a link's that people share: what others add to it is ignored.

    Raises:
        ValidationFailed: a parameter is unknown, repeated or out of range.
    """
    if not request.query_string:
        return _validate(request, model, {})
    pairs = list(request.query.items())
    if model.model_config.get("extra") == "ignore":
        known = field_names(model)
        pairs = [(name, value) for name, value in pairs if name in known]
    times = Counter(name for name, _ in pairs)
    if repeated := sorted(_to_printable(name) for name, count in times.items() if count > 1):
        raise ValidationFailed(
            [FieldError(name, "repeated", "given more than once") for name in repeated]
        )
    if bad := [name for name, value in pairs if _is_unstorable(name + value)]:
        raise ValidationFailed(
            [FieldError(_to_printable(name), "text", "not text") for name in bad]
        )
    return _validate(request, model, dict(pairs))


def _validate(request: web.Request, model: type[M], value: object) -> M:
    return validate(model, value, request.app.get(VALIDATION_CONTEXT))


def _validate_body(request: web.Request, model: type[M], value: object) -> M:
    return _validate(request, model, empty_to_null(model, value))


def path_id(request: web.Request, name: str = "id") -> UUID:
    """Return the UUID in the path.

    Raises:
        NotFound: it is not a UUID, so nothing has it.
    """
    text = request.match_info[name]
    try:
        value = UUID(text)
    except ValueError:
        raise NotFound from None
    if str(value) != text.lower():
        raise NotFound
    return value


async def _read_bytes(request: web.Request) -> bytes:
    length = request.content_length or 0
    if length > MAX_JSON_BYTES:
        raise BodyTooLarge.of("a body without a file", MAX_JSON_BYTES, length)
    if request.content.is_eof():  # a small body arrives with the header
        return _require_size(request.content.read_nowait())
    await ask_for_body(request)
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.content.iter_any():
                body += _require_size(chunk, len(body))
    except TimeoutError:
        raise RequestTimeout from None
    return bytes(body)


def _require_size(chunk: bytes, before: int = 0) -> bytes:
    if before + len(chunk) > MAX_JSON_BYTES:
        raise BodyTooLarge.of("a body without a file", MAX_JSON_BYTES)
    return chunk


def parse_json(body: bytes) -> object:
    """Return the value of a JSON text that all parsers read alike.

    A byte order mark before it is ignored. Duplicate names, NaN, lone surrogates, NUL characters,
    numbers out of range and endless digits or nesting are refused. Source: RFC 8259 §4 and §8,
    RFC 7493.

    Raises:
        MalformedJson: with the position where it is known; never with the text itself.
    """
    try:
        value: object = _DECODER.decode(body.removeprefix(BOM_UTF8).decode("utf-8"))
    except json.JSONDecodeError as wrong:
        raise MalformedJson(f"{wrong.msg} at line {wrong.lineno}, column {wrong.colno}") from None
    except UnicodeDecodeError as wrong:
        raise MalformedJson(f"not UTF-8 at byte {wrong.start}") from None
    except ValueError as wrong:
        raise MalformedJson(str(wrong) if wrong.args == ("duplicate name",) else None) from None
    except RecursionError:
        raise MalformedJson("nested too deeply") from None
    if b"\\u" in body and _holds_unstorable(value):
        raise MalformedJson("a string holds a NUL character or a lone surrogate")
    return value


def _parse_number(text: str) -> float:
    """Return a number with a point or an exponent: whole if its value is (JSON Schema §4.2.3)."""
    value = float(text)
    if isinf(value):
        raise ValueError(text)
    return int(value) if value.is_integer() else value


def _refuse_constant(name: str) -> object:
    raise ValueError(name)


_DECODER = json.JSONDecoder(
    object_pairs_hook=refuse_duplicate_names,
    parse_constant=_refuse_constant,
    parse_float=_parse_number,
)


def _is_unstorable(text: str) -> bool:
    return "\0" in text or any("\ud800" <= char <= "\udfff" for char in text)


def _to_printable(text: str) -> str:
    return text.encode("utf-8", "replace").decode().replace("\0", "?")


def _holds_unstorable(value: object) -> bool:
    left = [value]  # a stack: the parser accepts nesting deeper than the recursion limit
    while left:
        item = left.pop()
        if isinstance(item, str) and _is_unstorable(item):
            return True
        if isinstance(item, dict):
            left += [*item, *item.values()]
        elif isinstance(item, list):
            left += item
    return False
