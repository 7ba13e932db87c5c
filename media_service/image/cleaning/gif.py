"""A GIF down to its frames. Source: GIF89a specification; Netscape's looping extension."""

from media_service.image.cleaning.model import Cleaned
from media_service.image.errors import BrokenImage
from media_service.image.gif import (
    DESCRIPTOR_BYTES,
    EXTENSION,
    HEADER_BYTES,
    IMAGE,
    TRAILER,
    skip_sub_blocks,
    table_bytes,
)
from media_service.image.model import Source

_CONTROL = b"\xf9"
_APPLICATION = b"\xff"
_LOOPS = (b"\x0bNETSCAPE2.0\x03\x01", b"\x0bANIMEXTS1.0\x03\x01")
_CONTROL_BYTES = 4


def clean_gif(data: Source) -> Cleaned:
    """Return screen, colours, loop count and frames, bit for bit; no comment, text or tail.

    Raises:
        BrokenImage: the file ends within a block.
    """
    offset = HEADER_BYTES + table_bytes(data[HEADER_BYTES - 3])
    pieces, control = [bytes(data[:offset])], b""
    while (block := data[offset : offset + 1]) and block != TRAILER:
        start, offset = offset, offset + 1
        if block == EXTENSION:
            offset = skip_sub_blocks(data, offset + 1)
            extension = bytes(data[start:offset])
            control = _control(extension) or control
            pieces += _loop(extension)
        elif block == IMAGE:
            flags = data[offset + DESCRIPTOR_BYTES - 1 : offset + DESCRIPTOR_BYTES]
            if not flags:
                raise BrokenImage("the image ends within a block")
            offset = skip_sub_blocks(data, offset + DESCRIPTOR_BYTES + table_bytes(flags[0]) + 1)
            pieces += [control, bytes(data[start:offset])]
            control = b""
    return Cleaned([*pieces, TRAILER])


def _control(extension: bytes) -> bytes:
    """Return a frame's delay, transparency and disposal; nothing of another extension."""
    if extension[1:2] != _CONTROL or extension[2:3] != bytes([_CONTROL_BYTES]):
        return b""
    return extension[: 3 + _CONTROL_BYTES] + b"\0"


def _loop(extension: bytes) -> list[bytes]:
    """Return how often an animation repeats; nothing of another extension."""
    if extension[1:2] != _APPLICATION or not extension[2:].startswith(_LOOPS):
        return []
    return [extension[: 2 + len(_LOOPS[0]) + 2] + b"\0"]
