"""The headers that frame a multipart form. Source: RFC 7578, RFC 2046 §5.1.

The parser is strict, except for boundaries and file names, which it accepts as clients write them.
"""

import re
from base64 import b64decode
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from shared.errors import MalformedRequest, UnsupportedMediaType

MAX_BOUNDARY_BYTES = 70
_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PARAMETER = re.compile(
    rf""";[ \t]*({_WORD})=(
        (?: "(?:[^"\\]|\\.)*" | ".*?" ) (?=[ \t]*+(?:;[ \t]*+{_WORD}=|$)) |
        (?!")[^;]*
    )[ \t]*""",
    re.VERBOSE,
)
"""A value in quotes, in which some clients escape nothing, or a bare value."""
_BOUNDARY = re.compile(r"[ -~]*[!-~]")
_NAME = re.compile(_WORD)
_FOLD = re.compile(r"\r\n[ \t]+")
_CHARSETS = {"utf-8", "utf8", "iso-8859-1", "windows-1252", "us-ascii"}
_PLAIN_ENCODINGS = {"7bit", "8bit", "binary"}
_ENCODED_WORD = re.compile(r"=\?([^?]+)\?[Bb]\?([^?]+)\?=")
"""A whole name as .NET writes it. Source: RFC 2047 §2."""
_QUOTED_PAIR = re.compile(r'\\(["\\])')
_BROWSER_ESCAPES = (("%22", '"'), ("%0D", "\r"), ("%0A", "\n"))


@dataclass(frozen=True, slots=True)
class Disposition:
    """The name of a part, and its file name if there is one."""

    name: str
    file_name: str | None


def read_boundary(content_type: str) -> bytes:
    """Return the boundary that a request's `Content-Type` names.

    Raises:
        UnsupportedMediaType: it is not `multipart/form-data`.
        MalformedRequest: the boundary is missing, or nothing can be framed by it.
    """
    kind, parameters = _split(content_type)
    if kind != "multipart/form-data":
        raise UnsupportedMediaType("expected Content-Type: multipart/form-data")
    boundary = parameters.get("boundary", "")
    if len(boundary) > MAX_BOUNDARY_BYTES or not _BOUNDARY.fullmatch(boundary):
        raise MalformedRequest("the multipart boundary is missing or not allowed")
    return boundary.encode()


def read_part_headers(block: bytes) -> Disposition:
    """Return the disposition in a part's header block.

    Raises:
        MalformedRequest: the block is broken, or the part is encoded, nested or unnamed.
    """
    headers = _read_lines(block)
    if "content-encoding" in headers:
        raise MalformedRequest("a part must not be encoded")
    if headers.get("content-transfer-encoding", "binary").lower() not in _PLAIN_ENCODINGS:
        raise MalformedRequest("a part must not be encoded")
    if headers.get("content-type", "").lower().startswith("multipart/"):
        raise MalformedRequest("parts must not be nested")
    kind, parameters = _split(headers.get("content-disposition", ""))
    if kind != "form-data" or "name" not in parameters:
        raise MalformedRequest("a part has no name")
    return Disposition(parameters["name"], _file_name(parameters))


def _read_lines(block: bytes) -> dict[str, str]:
    """Return a block's headers; bytes that are no UTF-8 become U+FFFD."""
    headers: dict[str, str] = {}
    for line in _FOLD.sub(" ", block.decode("utf-8", "replace")).split("\r\n"):
        name, colon, value = line.partition(":")
        if not colon or not _NAME.fullmatch(name) or any(c in value for c in "\r\n\0"):
            raise MalformedRequest("a part's header is broken")
        if name.lower() in headers:
            raise MalformedRequest("a part's header is given twice")
        headers[name.lower()] = value.strip(" \t")
    return headers


def _split(value: str) -> tuple[str, dict[str, str]]:
    """Return a header's first word and its parameters, by lower-case name."""
    word, _, _ = value.partition(";")
    rest, parameters = value[len(word) :].rstrip(" \t;"), {}
    while found := _PARAMETER.match(rest):
        name = found[1].lower()
        if name in parameters:
            raise MalformedRequest("a parameter of a header is given twice")
        parameters[name] = _unquote(found[2].rstrip(" \t"))
        rest = rest[found.end() :]
    if rest:
        raise MalformedRequest("a header's parameters are broken")
    return word.strip(" \t").lower(), parameters


def _unquote(text: str) -> str:
    return _QUOTED_PAIR.sub(r"\1", text[1:-1]) if text.startswith('"') else text


def _file_name(parameters: dict[str, str]) -> str | None:
    """Return `filename*` (RFC 8187) or else `filename`, decoded as clients encode them."""
    name = parameters.get("filename")
    if name is not None:
        name = _decode_encoded_word(name) or _decode_percent(name)
    if (extended := parameters.get("filename*")) is not None:
        name = _decode_extended(extended) or name or ""
    if name is not None and "\0" in name:
        raise MalformedRequest("a part's file name is broken")
    return name


def _decode_encoded_word(name: str) -> str | None:
    """Return the decoded encoded word, or None where the name is none."""
    found = _ENCODED_WORD.fullmatch(name)
    if not found or found[1].lower() not in _CHARSETS:
        return None
    try:
        return b64decode(found[2], validate=True).decode(found[1], "replace")
    except ValueError:
        return None


def _decode_percent(name: str) -> str:
    """Return the name without percent-encoding: some clients encode all of it, browsers little."""
    for escape, char in _BROWSER_ESCAPES:
        name = name.replace(escape, char)
    if not name.isascii():
        return name
    try:
        decoded = unquote_to_bytes(name).decode("utf-8")
    except UnicodeDecodeError:
        return name
    return name if "\0" in decoded else decoded


def _decode_extended(value: str) -> str | None:
    """Return the decoded `filename*`, or None where it cannot be decoded."""
    charset, _, rest = value.partition("'")
    _, quote, encoded = rest.partition("'")
    if not quote or charset.lower() not in _CHARSETS:
        return None
    return unquote_to_bytes(encoded).decode(charset, "replace")
