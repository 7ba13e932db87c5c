"""The headers that frame a multipart form, read strictly. Source: RFC 7578, RFC 2046 §5.1."""

import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from shared.errors import MalformedRequest, UnsupportedMediaType

MAX_BOUNDARY_BYTES = 70
_PARAMETER = re.compile(
    r""";[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)=("(?:[^"\\]|\\.)*"|"[^"]*"|[^\s;"]*)[ \t]*(?=;|$)"""
)
"""A quoted value, with quoted pairs or (as browsers write a backslash) without, or a bare one."""
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]*[0-9A-Za-z'()+_,./:=?-]")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_PLAIN_ENCODINGS = {"7bit", "8bit", "binary"}
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
        MalformedRequest: the boundary is missing, or RFC 2046 forbids it.
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
    for line in block.decode("utf-8", "replace").split("\r\n"):
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
    rest, parameters = value[len(word) :], {}
    while found := _PARAMETER.match(rest):
        name = found[1].lower()
        if name in parameters:
            raise MalformedRequest("a parameter of a header is given twice")
        parameters[name] = _unquote(found[2])
        rest = rest[found.end() :]
    if rest.strip(" \t;"):
        raise MalformedRequest("a header's parameters are broken")
    return word.strip(" \t").lower(), parameters


def _unquote(text: str) -> str:
    return _QUOTED_PAIR.sub(r"\1", text[1:-1]) if text.startswith('"') else text


def _file_name(parameters: dict[str, str]) -> str | None:
    """Return `filename*` (RFC 8187) or else `filename`, with the escapes that browsers use."""
    name = parameters.get("filename")
    if name is not None:
        for escape, char in _BROWSER_ESCAPES:
            name = name.replace(escape, char)
    if (extended := parameters.get("filename*")) is not None:
        charset, _, encoded = extended.partition("'")
        if charset.lower() != "utf-8" or "'" not in encoded:
            raise MalformedRequest("a part's file name is broken")
        name = unquote_to_bytes(encoded.partition("'")[2]).decode("utf-8", "replace")
    if name is not None and "\0" in name:
        raise MalformedRequest("a part's file name is broken")
    return name
