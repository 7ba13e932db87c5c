"""WebP, chunk by chunk: its size, and the file without metadata. Source: RFC 9649 §2."""

import struct
from collections.abc import Iterator
from typing import Any

from PIL import Image

from media_service.image.errors import BrokenImage, ImageLimitExceeded
from media_service.image.formats.exif import UPRIGHT, read_orientation
from media_service.image.formats.icc import valid_profile
from media_service.image.formats.model import LARGE_PIXELS, CleanedImage
from media_service.image.model import ImageBytes, ImageSize

MAX_CHUNKS = 20_000
RIFF_HEADER_BYTES = 12
CHUNK_HEADER_BYTES = 8


def scan_webp(data: ImageBytes) -> ImageSize:
    """Return the canvas and the number of frames."""
    width = height = frames = 0
    offset = RIFF_HEADER_BYTES
    for _ in range(MAX_CHUNKS):
        header = data[offset : offset + CHUNK_HEADER_BYTES]
        if len(header) < CHUNK_HEADER_BYTES:
            break
        kind, length = struct.unpack("<4sI", header)
        body = data[offset + 8 : offset + 18].ljust(10, b"\0")
        wide, high = _announced_size(kind, body)
        width, height, frames = max(width, wide), max(height, high), frames + (kind == b"ANMF")
        offset += CHUNK_HEADER_BYTES + length + (length & 1)
    else:
        raise ImageLimitExceeded("the image has too many chunks")
    if not width or not height:
        raise BrokenImage("the image announces no size")
    return ImageSize(width, height, max(1, frames))


def _announced_size(kind: bytes, body: bytes) -> tuple[int, int]:
    """Return the size that a chunk announces, zero for chunks that announce none."""
    if kind == b"VP8X":
        return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
    if kind == b"VP8 ":
        width, height = struct.unpack("<HH", body[6:10])
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return 0, 0


_FLAG_PROFILE, _FLAGS_DRAWN = 0x20, 0x12  # alpha and animation
_VP8X_BYTES = 10
_FRAME_HEADER_BYTES = 16
_FLAG_ANIMATION = 0x02
_BITSTREAMS = frozenset({b"VP8 ", b"VP8L"})
_PICTURE_CHUNKS = _BITSTREAMS | {b"ALPH"}
_ANIMATION_CHUNKS = frozenset({b"ANIM", b"ANMF"})

Chunk = tuple[bytes, bytes]


def clean_webp(data: ImageBytes) -> CleanedImage:
    """Return canvas, profile and frames, bit for bit; no Exif, XMP, unknown chunk or tail."""
    end = min(len(data), 8 + int.from_bytes(data[4:8], "little"))
    chunks = _decoded_chunks(list(_chunks(data, RIFF_HEADER_BYTES, end)))
    found = dict(reversed(chunks))  # the first of its kind counts
    profile = valid_profile(found.get(b"ICCP", b""))
    kept = [
        packed
        for kind, body in _first_of_kind(chunks)
        for packed in _clean_chunk(kind, body, profile)
    ]
    exif = found.get(b"EXIF")
    head = b"RIFF" + (4 + sum(map(len, kept))).to_bytes(4, "little") + b"WEBP"
    return CleanedImage(
        [head, *kept],
        UPRIGHT if exif is None else read_orientation(exif),
        lossless=not any(_is_lossy(kind, body) for kind, body in chunks),
    )


def _chunks(data: ImageBytes | bytes, offset: int, end: int) -> Iterator[Chunk]:
    while offset + CHUNK_HEADER_BYTES <= end:
        kind, length = struct.unpack("<4sI", data[offset : offset + CHUNK_HEADER_BYTES])
        offset += CHUNK_HEADER_BYTES
        if offset + length > end:
            raise BrokenImage("the image ends within a chunk")
        yield kind, bytes(data[offset : offset + length])
        offset += length + (length & 1)


def _decoded_chunks(chunks: list[Chunk]) -> list[Chunk]:
    """Return the chunks without those that a decoder passes over: frames, or a still picture."""
    screen = next((body for kind, body in chunks if kind == b"VP8X"), b"")
    if screen and screen[0] & _FLAG_ANIMATION:
        return [(kind, body) for kind, body in chunks if kind not in _PICTURE_CHUNKS]
    return _picture_chunks([(kind, body) for kind, body in chunks if kind not in _ANIMATION_CHUNKS])


def _picture_chunks(chunks: list[Chunk]) -> list[Chunk]:
    """Return the chunks with one picture, and transparency only where a lossy one follows it."""
    kinds = [kind for kind, _ in chunks]
    at = next((index for index, kind in enumerate(kinds) if kind in _BITSTREAMS), len(kinds))
    clear = kinds.index(b"ALPH") if b"ALPH" in kinds and kinds[at : at + 1] == [b"VP8 "] else at
    idle = {index for index, kind in enumerate(kinds) if kind in _PICTURE_CHUNKS} - {
        at,
        min(clear, at),
    }
    return [chunk for index, chunk in enumerate(chunks) if index not in idle]


def _first_of_kind(chunks: list[Chunk]) -> Iterator[Chunk]:
    seen: set[bytes] = set()
    for kind, body in chunks:
        if kind == b"ANMF" or kind not in seen:
            yield kind, body
        seen.add(kind)


def _clean_chunk(kind: bytes, body: bytes, profile: bytes | None) -> list[bytes]:
    if kind == b"VP8X":
        flags = body[0] & _FLAGS_DRAWN if body else 0
        flags |= _FLAG_PROFILE if profile else 0
        return [_pack(kind, bytes([flags, 0, 0, 0]) + body[4:_VP8X_BYTES])]
    if kind == b"ICCP":
        return [_pack(kind, profile)] if profile else []
    if kind == b"ANIM":
        return [_pack(kind, body[:6])]
    if kind == b"ANMF":
        return [_pack(kind, _clean_frame(body))]
    return [_pack(kind, body)] if kind in _PICTURE_CHUNKS else []


def _is_lossy(kind: bytes, body: bytes) -> bool:
    """Return whether a chunk has lossy pixels; in a frame they come first, or after their alpha."""
    return kind == b"VP8 " or (kind == b"ANMF" and body[16:20] in {b"VP8 ", b"ALPH"})


def _clean_frame(body: bytes) -> bytes:
    inner = _picture_chunks(list(_chunks(body, _FRAME_HEADER_BYTES, len(body))))
    pixels = [_pack(kind, data) for kind, data in inner if kind in _PICTURE_CHUNKS]
    return body[:_FRAME_HEADER_BYTES] + b"".join(pixels)


def _pack(kind: bytes, body: bytes) -> bytes:
    return kind + len(body).to_bytes(4, "little") + body + b"\0" * (len(body) & 1)


def webp_encoder_options(image: Image.Image, cleaned: CleanedImage) -> dict[str, Any]:
    """Return what loses nothing of a lossless file, and nothing that can be seen of a lossy one."""
    method = 0 if image.width * image.height > LARGE_PIXELS else 2
    quality = 60 if cleaned.lossless else 95
    return {"lossless": cleaned.lossless, "quality": quality, "method": method, "exact": True}
