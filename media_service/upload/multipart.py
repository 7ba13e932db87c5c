"""A multipart form, parsed as it arrives, without reading anything itself.

The cost of any body is linear with a small factor, and damage has one name. Decision 0010 compares
it with the parsers of libraries.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from media_service.upload.headers import Disposition, read_part_headers
from shared.errors import BodyTooLarge, MalformedRequest

MAX_PARTS = 8
MAX_HEADER_BYTES = 8 * 1024
MAX_PREAMBLE_BYTES = 1024
_MAX_PADDING_BYTES = 64
_LINE_END = b"\r\n"
_CARRIAGE_RETURN = b"\r"
"""A delimiter begins with it, and contains it only there: no boundary may contain one."""
_BLOCK_END = b"\r\n\r\n"
_CLOSING = b"--"


@dataclass(frozen=True, slots=True)
class PartStart:
    """A part's headers are in."""

    disposition: Disposition


@dataclass(frozen=True, slots=True)
class PartData:
    """Some bytes of the part that has begun, as a view of what was fed."""

    data: memoryview


@dataclass(frozen=True, slots=True)
class PartEnd:
    """The boundary behind the part is in."""


Event = PartStart | PartData | PartEnd


class _State(Enum):
    PREAMBLE = auto()
    BODY = auto()
    DELIMITER = auto()
    HEADERS = auto()
    EPILOGUE = auto()


class MultipartParser:
    """Parses chunks, however they are cut, into events. Source: RFC 2046 §5.1.1."""

    def __init__(self, boundary: bytes) -> None:
        self._delimiter = _LINE_END + b"--" + boundary
        self._data = _LINE_END  # the first boundary needs no line end before it
        self._at = 0
        self._state = _State.PREAMBLE
        self._preamble = 0
        self._parts = 0

    def feed(self, chunk: bytes) -> None:
        """Add a chunk, after the events of the one before were consumed."""
        self._data += chunk

    def events(self) -> Iterator[Event]:
        """Yield the events of the data so far, and drop that data.

        Raises:
            MalformedRequest: this is not a multipart form.
            BodyTooLarge: it has more than `MAX_PARTS` parts.
        """
        before = None
        while before != (self._state, self._at):
            before = (self._state, self._at)
            yield from self._advance()
        self._data, self._at = self._data[self._at :], 0

    def close(self) -> None:
        """Accept the end of the body.

        Raises:
            MalformedRequest: the closing boundary has not come.
        """
        if self._state is not _State.EPILOGUE:
            raise MalformedRequest("the multipart body ends before its closing boundary")

    def _advance(self) -> Iterator[Event]:
        if self._state is _State.EPILOGUE:
            self._at = len(self._data)
        elif self._state is _State.DELIMITER:
            self._read_delimiter()
        elif self._state is _State.HEADERS:
            yield from self._read_headers()
        else:
            yield from self._read_until_delimiter()

    def _read_until_delimiter(self) -> Iterator[Event]:
        found = self._data.find(self._delimiter, self._at)
        data = self._read_to(found if found >= 0 else self._partial_delimiter_start())
        if self._state is _State.PREAMBLE:
            self._skip_preamble(len(data))
        elif data:
            yield PartData(data)
        if found >= 0:
            if self._state is _State.BODY:
                yield PartEnd()
            self._at += len(self._delimiter)
            self._state = _State.DELIMITER

    def _partial_delimiter_start(self) -> int:
        """Return where an incomplete delimiter may begin, else where the data ends.

        Nearly always the data is complete, and the next chunk need not be appended to a rest.
        """
        last = max(self._at, len(self._data) - len(self._delimiter) + 1)
        at = self._data.rfind(_CARRIAGE_RETURN, last)
        return at if at >= 0 and self._delimiter.startswith(self._data[at:]) else len(self._data)

    def _skip_preamble(self, count: int) -> None:
        self._preamble += count
        if self._preamble > MAX_PREAMBLE_BYTES:
            raise MalformedRequest("the multipart body does not begin with its boundary")

    def _read_delimiter(self) -> None:
        """Distinguish the closing boundary from one before a part, which ends its line."""
        if self._data.startswith(_CLOSING, self._at):
            self._state = _State.EPILOGUE
            return
        end = self._data.find(_LINE_END, self._at, self._at + _MAX_PADDING_BYTES)
        if end >= 0 and not self._data[self._at : end].strip(b" \t"):
            self._at = end + len(_LINE_END)
            self._state = _State.HEADERS
        elif end >= 0 or len(self._data) - self._at >= _MAX_PADDING_BYTES:
            raise MalformedRequest("a multipart boundary is broken")

    def _read_headers(self) -> Iterator[Event]:
        end = self._data.find(_BLOCK_END, self._at, self._at + MAX_HEADER_BYTES)
        if end < 0:
            if len(self._data) - self._at >= MAX_HEADER_BYTES:
                raise MalformedRequest("a part's header is too long")
            return
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise BodyTooLarge(f"a form has at most {MAX_PARTS} parts")
        disposition = read_part_headers(bytes(self._read_to(end)))
        self._at += len(_BLOCK_END)
        self._state = _State.BODY
        yield PartStart(disposition)

    def _read_to(self, end: int) -> memoryview:
        taken = memoryview(self._data)[self._at : end]
        self._at = end
        return taken
