"""GIF, block by block: its size, and the file without metadata.

Source: GIF89a specification, appendix B; Netscape's looping extension.
"""

import struct
from collections.abc import Iterator

from media_service.image.errors import BrokenImage
from media_service.image.formats.model import CleanedImage
from media_service.image.model import ImageBytes, ImageSize

_HEADER_BYTES = 13
_DESCRIPTOR_BYTES = 9
_EXTENSION, _IMAGE_DESCRIPTOR, _TRAILER = b"!", b",", b";"
_CONTROL, _APPLICATION = b"\xf9", b"\xff"
_LOOPS = (b"\x0bNETSCAPE2.0\x03\x01", b"\x0bANIMEXTS1.0\x03\x01")
_CONTROL_BYTES = 4


def scan_gif(data: ImageBytes) -> ImageSize:
    """Return the canvas, as far as any frame reaches, and the number of frames."""
    width, height = struct.unpack("<HH", data[6:10].ljust(4, b"\0"))
    frames = 0
    for kind, start, _ in _blocks(data):
        if kind == _IMAGE_DESCRIPTOR:
            left, top, wide, high = struct.unpack("<HHHH", data[start + 1 : start + 9])
            width, height, frames = max(width, left + wide), max(height, top + high), frames + 1
    if not frames:
        raise BrokenImage("the image has no frame")
    return ImageSize(width, height, frames)


def clean_gif(data: ImageBytes) -> CleanedImage:
    """Return screen, colours, loop count and frames, bit for bit; no comment, text or tail."""
    pieces, control = [bytes(data[: _first_block(data)])], b""
    for kind, start, end in _blocks(data):
        block = bytes(data[start:end])
        if kind == _EXTENSION:
            control = _graphic_control(block) or control
            pieces += _loop_extension(block)
        else:
            pieces += [control, block]
            control = b""
    return CleanedImage([*pieces, _TRAILER])


def _first_block(data: ImageBytes) -> int:
    return _HEADER_BYTES + _colour_table_bytes(data[_HEADER_BYTES - 3 : _HEADER_BYTES - 2])


def _blocks(data: ImageBytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, start and end of each extension and frame.

    Bytes between blocks are skipped, as decoders do.
    """
    offset = _first_block(data)
    while (kind := data[offset : offset + 1]) and kind != _TRAILER:
        start, offset = offset, offset + 1
        if kind == _EXTENSION:
            offset = _skip_sub_blocks(data, offset + 1)
            yield kind, start, offset
        elif kind == _IMAGE_DESCRIPTOR:
            offset += _DESCRIPTOR_BYTES
            offset += _colour_table_bytes(data[offset - 1 : offset]) + 1
            offset = _skip_sub_blocks(data, offset)
            yield kind, start, offset


def _colour_table_bytes(flags: bytes) -> int:
    """Return the length of the colour table that the byte of flags announces."""
    if not flags:
        raise BrokenImage("the image ends within a block")
    return 3 << (flags[0] & 7) + 1 if flags[0] & 0x80 else 0


def _skip_sub_blocks(data: ImageBytes, offset: int) -> int:
    """Return where the chain of sub-blocks ends that begins at `offset`."""
    while length := data[offset : offset + 1]:
        offset += 1 + length[0]
        if not length[0]:
            return offset
    raise BrokenImage("the image ends within a block")


def _graphic_control(extension: bytes) -> bytes:
    """Return a frame's delay, transparency and disposal; nothing of another extension."""
    if extension[1:2] != _CONTROL or extension[2:3] != bytes([_CONTROL_BYTES]):
        return b""
    return extension[: 3 + _CONTROL_BYTES] + b"\0"


def _loop_extension(extension: bytes) -> list[bytes]:
    """Return how often an animation repeats; nothing of another extension."""
    if extension[1:2] != _APPLICATION or not extension[2:].startswith(_LOOPS):
        return []
    return [extension[: 2 + len(_LOOPS[0]) + 2] + b"\0"]
