"""Parsing of requests: strict JSON, strict models, and the client's address."""

import asyncio
import json
from collections import Counter
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from math import isinf
from typing import Any, TypeVar
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
    UnsupportedMediaType,
    ValidationFailed,
)
from shared.validation import validate

MAX_FORM_FIELDS = 100
FORM = "application/x-www-form-urlencoded"
MAX_JSON_BYTES = 64 * 1024
BODY_SECONDS = 10
TRUSTED_PROXIES = web.AppKey("trusted_proxies", tuple[IPv4Network | IPv6Network, ...])

VALIDATION_CONTEXT: web.AppKey[object] = web.AppKey("known")
"""What a service's models ask when they validate, such as the time zones that there are."""

M = TypeVar("M", bound=BaseModel)


async def read_body(request: web.Request, model: type[M]) -> M:
    """Return the JSON body as `model`; at most 64 KiB, within 10 s.

    Raises:
        UnsupportedMediaType, BodyTooLarge, RequestTimeout, MalformedJson, ValidationFailed:
            the body is not what the route takes; all wrong fields are named at once.
    """
    _require_type(request, "application/json")
    return _validated(request, model, parse_json(await _read(request)))


async def read_optional_body(request: web.Request, model: type[M]) -> M:
    """Return the body as `read_body` does, or the model's defaults when there is none."""
    if not request.body_exists or request.content_length == 0:
        return _validated(request, model, {})
    return await read_body(request, model)


async def read_form(request: web.Request, model: type[M]) -> M:
    """Return the URL-encoded form as `model`; at most 64 KiB, within 10 s.

    Raises:
        UnsupportedMediaType, BodyTooLarge, RequestTimeout, MalformedRequest, ValidationFailed:
            the body is not what the route takes.
    """
    _require_type(request, FORM)
    try:
        text = (await _read(request)).decode()
        pairs = parse_qsl(
            text, keep_blank_values=True, errors="strict", max_num_fields=MAX_FORM_FIELDS
        )
    except ValueError:
        raise MalformedRequest from None
    return _validated(request, model, dict(pairs))


def _require_type(request: web.Request, expected: str) -> None:
    if request.headers.get("Content-Encoding"):
        raise UnsupportedMediaType("expected a body without Content-Encoding")
    if request.content_type != expected:
        raise UnsupportedMediaType(f"expected Content-Type: {expected}")


def read_query(request: web.Request, model: type[M]) -> M:
    """Return the query string as `model`; a name given twice is refused.

    Raises:
        ValidationFailed: a parameter is unknown, repeated or out of range.
    """
    if not request.query_string:
        return _validated(request, model, {})
    times = Counter(name for name, _ in request.query.items())  # keys() names each one once
    if repeated := sorted(_shown(name) for name, count in times.items() if count > 1):
        raise ValidationFailed(
            [FieldError(name, "repeated", "given more than once") for name in repeated]
        )
    if bad := [name for name, value in request.query.items() if _unstorable(name + value)]:
        raise ValidationFailed([FieldError(_shown(name), "text", "not text") for name in bad])
    return _validated(request, model, dict(request.query))


def _validated(request: web.Request, model: type[M], value: object) -> M:
    return validate(model, value, request.app.get(VALIDATION_CONTEXT))


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


async def _read(request: web.Request) -> bytes:
    if (request.content_length or 0) > MAX_JSON_BYTES:
        raise BodyTooLarge(f"a JSON body has at most {MAX_JSON_BYTES} bytes")
    if request.content.is_eof():  # it came with the header, as small ones do: nothing to wait for
        return _not_too_large(request.content.read_nowait())
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.content.iter_any():
                body += _not_too_large(chunk, len(body))
    except TimeoutError:
        raise RequestTimeout from None
    return bytes(body)


def _not_too_large(chunk: bytes, before: int = 0) -> bytes:
    if before + len(chunk) > MAX_JSON_BYTES:
        raise BodyTooLarge(f"a JSON body has at most {MAX_JSON_BYTES} bytes")
    return chunk


def parse_json(body: bytes) -> object:
    """Return the value of a JSON text that every parser reads alike.

    Duplicate names, NaN, lone surrogates, NUL characters, numbers out of range and endless digits
    or nesting are refused. Source: RFC 8259 §4 and §8, RFC 7493.

    Raises:
        MalformedJson: with the position where it is known; never with the text itself.
    """
    try:
        value: object = _DECODER.decode(body.decode("utf-8"))
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


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) != len(pairs):
        message = "duplicate name"
        raise ValueError(message)
    return names


def _finite(text: str) -> float:
    value = float(text)
    if isinf(value):
        raise ValueError(text)
    return value


def _refuse_constant(name: str) -> object:
    raise ValueError(name)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_constant=_refuse_constant, parse_float=_finite
)


def _unstorable(text: str) -> bool:
    return "\0" in text or any("\ud800" <= char <= "\udfff" for char in text)


def _shown(text: str) -> str:
    return text.encode("utf-8", "replace").decode().replace("\0", "?")


def _holds_unstorable(value: object) -> bool:
    left = [value]  # a list of our own: the parser takes nesting that recursion would not survive
    while left:
        item = left.pop()
        if isinstance(item, str) and _unstorable(item):
            return True
        if isinstance(item, dict):
            left += [*item, *item.values()]
        elif isinstance(item, list):
            left += item
    return False


def client_address(request: web.Request) -> IPv4Address | IPv6Address:
    """Return the address that asked: the last one in `X-Forwarded-For` that no trusted proxy has.

    The header counts only when the peer is a trusted proxy, or came over a Unix socket, whose
    permissions already say who may connect.
    """
    trusted = request.app[TRUSTED_PROXIES]
    peer = _address(request.remote or "")
    address = peer or ip_address("127.0.0.1")
    if peer is not None and not any(peer in network for network in trusted):
        return address
    for text in reversed(",".join(request.headers.getall("X-Forwarded-For", [])).split(",")):
        hop = _address(text.strip())
        if hop is None:
            break
        address = hop
        if not any(hop in network for network in trusted):
            break
    return address


@lru_cache(maxsize=1024)  # callers come again, and proxies with each of them
def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv4Address):
        return address
    return address.ipv4_mapped or IPv6Address(int(address))  # without a zone, which is no address
