"""PNG: down to its pixels, colours and animation, and encoded again.

Source: W3C PNG (third edition) §5 and §11.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import Any

from PIL import Image

from media_service.image.errors import BrokenImage
from media_service.image.formats.exif import UPRIGHT, read_orientation
from media_service.image.formats.icc import MAX_PROFILE_BYTES, valid_profile
from media_service.image.formats.model import LARGE_PIXELS, CleanedImage
from media_service.image.formats.png.scan import CHUNK_HEADER_BYTES
from media_service.image.formats.png.zlib_stream import raw_bytes, truncate_stream
from media_service.image.model import ImageBytes

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_MAX_BYTES = {b"gAMA": 4, b"cHRM": 32, b"sRGB": 1, b"cICP": 4, b"acTL": 8}
"""The chunks that say how pixels look, each allowed once, with their greatest length."""
_USED = frozenset({*_MAX_BYTES, b"tRNS", b"iCCP", b"eXIf", b"fcTL", b"fdAT"})
"""The ancillary chunks that are kept or read; others are dropped, so their damage is no matter."""
_ANCILLARY = 0x20
"""The bit of a name's first letter that says so: the letter is small."""
_TRANSPARENT = {0: 2, 2: 6}
"""How long the transparent colour is, by the kind of pixels; those with alpha have none."""
_PALETTE = 3
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_HEADER_BYTES, _CONTROL_BYTES = 13, 26

Chunk = tuple[bytes, bytes]


def clean_png(data: ImageBytes) -> CleanedImage:
    """Return pixels, palette, transparency, colour space and animation; their values untouched."""
    chunks = list(_chunks(data))
    if not chunks or chunks[0][0] != b"IHDR" or len(chunks[0][1]) != _HEADER_BYTES:
        raise BrokenImage("the image does not begin with its header")
    cleaner = _ChunkCleaner(chunks[0][1])
    for kind, body in chunks[1:]:
        cleaner.add(kind, body)
    cleaner.end_stream()
    return CleanedImage([SIGNATURE, *cleaner.pieces, pack(b"IEND", b"")], cleaner.orientation)


def _chunks(data: ImageBytes) -> Iterator[Chunk]:
    """Yield the chunks before IEND, or all where a cut file has none: its pixels may be whole."""
    offset = len(SIGNATURE)
    while offset + CHUNK_HEADER_BYTES <= len(data):
        length, kind = int.from_bytes(data[offset : offset + 4]), data[offset + 4 : offset + 8]
        if kind == b"IEND":
            return
        body, end = data[offset + 8 : offset + 8 + length], offset + 12 + length
        is_used = kind in _USED or not kind[0] & _ANCILLARY
        if end > len(data) or (is_used and data[end - 4 : end] != _checksum(kind, body)):
            raise BrokenImage("a chunk of the image is damaged")
        yield kind, body
        offset = end


class _ChunkCleaner:
    """Writes chunks anew; those of one stream of pixels are joined and cut where it ends."""

    def __init__(self, header: bytes) -> None:
        self.pieces = [pack(b"IHDR", header)]
        self.orientation = UPRIGHT
        width, height, depth, colour, _, _, interlace = struct.unpack(">IIBBBBB", header)
        self._pixel_bits, self._interlaced = depth * _CHANNELS.get(colour, 0), bool(interlace)
        self._max_bytes = _MAX_BYTES | _palette_bytes(colour, depth)
        self._canvas = self._frame = (width, height)
        self._kinds: set[bytes] = set()
        self._stream: list[bytes] = []
        self._stream_kind = b""
        self._sequence = 0

    def add(self, kind: bytes, body: bytes) -> None:
        if kind in {b"IDAT", b"fdAT"}:
            self._add_pixels(kind, body)
        elif kind == b"fcTL" and len(body) == _CONTROL_BYTES:
            self.end_stream()
            self._frame = struct.unpack(">II", body[4:12])
            self.pieces.append(pack(kind, self._next_sequence_number() + body[4:]))
        elif kind in self._kinds:
            return
        elif kind in self._max_bytes:
            self._kinds.add(kind)
            self.pieces.append(pack(kind, body[: self._max_bytes[kind]]))
        elif kind == b"iCCP":
            self._kinds.add(kind)
            self.pieces += _profile_chunk(body)
        elif kind == b"eXIf":
            self._kinds.add(kind)
            self.orientation = read_orientation(body)

    def end_stream(self) -> None:
        """Write the pixels that have come, if any."""
        kind, packed, self._stream = self._stream_kind, b"".join(self._stream), []
        if not packed:
            return
        width, height = self._canvas if kind == b"IDAT" else self._frame
        most = raw_bytes(width, height, self._pixel_bits, interlaced=self._interlaced)
        number = self._next_sequence_number() if kind == b"fdAT" else b""
        self.pieces.append(pack(kind, number + truncate_stream(packed, most)))

    def _add_pixels(self, kind: bytes, body: bytes) -> None:
        if kind != self._stream_kind:
            self.end_stream()
            self._stream_kind = kind
        self._stream.append(body if kind == b"IDAT" else body[4:])

    def _next_sequence_number(self) -> bytes:
        self._sequence += 1
        return (self._sequence - 1).to_bytes(4)


def _palette_bytes(colour: int, depth: int) -> dict[bytes, int]:
    """Return how long palette and transparency are at most; nothing of one that is not used."""
    if colour == _PALETTE:
        return {b"PLTE": 3 << depth, b"tRNS": 1 << depth}
    return {b"tRNS": _TRANSPARENT[colour]} if colour in _TRANSPARENT else {}


def _profile_chunk(body: bytes) -> list[bytes]:
    packed = body.partition(b"\0")[2][1:]
    try:
        inflated = zlib.decompressobj().decompress(packed, MAX_PROFILE_BYTES + 1)
    except zlib.error:
        return []
    profile = valid_profile(inflated)
    return [pack(b"iCCP", b"icc\0\0" + zlib.compress(profile))] if profile else []


def pack(kind: bytes, body: bytes) -> bytes:
    """Return a chunk."""
    return len(body).to_bytes(4) + kind + body + _checksum(kind, body)


def _checksum(kind: bytes, body: bytes) -> bytes:
    return zlib.crc32(kind + body).to_bytes(4)


_SIGNATURE_AND_HEADER_BYTES = 33
_KIND = slice(4, 8)
_COLOUR_SPACE = frozenset({b"cICP", b"gAMA", b"cHRM", b"sRGB"})


def png_encoder_options(image: Image.Image, _cleaned: CleanedImage) -> dict[str, Any]:
    """Return how to save what is no pixel: the transparency, and a picture before an animation."""
    options: dict[str, Any] = {
        "compress_level": 1 if image.width * image.height > LARGE_PIXELS else 6,
        "default_image": bool(image.info.get("default_image")),
    }
    transparent = image.info.get("transparency")
    return options if transparent is None else options | {"transparency": transparent}


def add_colour_space(encoded: bytes, cleaned: CleanedImage) -> bytes:
    """Return the encoded file with those chunks of the cleaned one that define its colours."""
    chunks = b"".join(piece for piece in cleaned.pieces if piece[_KIND] in _COLOUR_SPACE)
    at = _SIGNATURE_AND_HEADER_BYTES
    return encoded[:at] + chunks + encoded[at:] if chunks else encoded
