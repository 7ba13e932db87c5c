"""GIF, block by block: its size, and the file without metadata.

Source: GIF89a specification, appendix B; Netscape's looping extension.
"""

from media_service.image.errors import BrokenImage
from media_service.image.formats.model import CleanedImage
from media_service.image.model import ImageBytes, ImageSize

HEADER_BYTES = 13
DESCRIPTOR_BYTES = 9
EXTENSION = b"!"
IMAGE_DESCRIPTOR = b","
TRAILER = b";"


def scan_gif(data: ImageBytes) -> ImageSize:
    """Return the canvas, as far as any frame reaches, and the number of frames.

    Bytes between blocks are skipped, as decoders do.

    Raises:
        BrokenImage: the file ends within a block, or has no frame.
    """
    header = data[:HEADER_BYTES].ljust(HEADER_BYTES, b"\0")
    width, height = _read_pair(header[6:10])
    offset, frames = HEADER_BYTES + colour_table_bytes(header[10]), 0
    while (block := data[offset : offset + 1]) and block != TRAILER:
        offset += 1
        if block == EXTENSION:
            offset = skip_sub_blocks(data, offset + 1)
        elif block == IMAGE_DESCRIPTOR:
            descriptor = data[offset : offset + DESCRIPTOR_BYTES].ljust(DESCRIPTOR_BYTES, b"\0")
            (left, top), (wide, high) = _read_pair(descriptor[:4]), _read_pair(descriptor[4:8])
            width, height, frames = max(width, left + wide), max(height, top + high), frames + 1
            offset += DESCRIPTOR_BYTES + colour_table_bytes(descriptor[8]) + 1
            offset = skip_sub_blocks(data, offset)
    if not frames:
        raise BrokenImage("the image has no frame")
    return ImageSize(width, height, frames)


def _read_pair(four: bytes) -> tuple[int, int]:
    return int.from_bytes(four[:2], "little"), int.from_bytes(four[2:], "little")


def colour_table_bytes(flags: int) -> int:
    """Return the length of the colour table that the flags announce."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def skip_sub_blocks(data: ImageBytes, offset: int) -> int:
    """Return where the chain of sub-blocks ends that begins at `offset`."""
    while length := data[offset : offset + 1]:
        offset += 1 + length[0]
        if not length[0]:
            return offset
    raise BrokenImage("the image ends within a block")


_CONTROL = b"\xf9"
_APPLICATION = b"\xff"
_LOOPS = (b"\x0bNETSCAPE2.0\x03\x01", b"\x0bANIMEXTS1.0\x03\x01")
_CONTROL_BYTES = 4


def clean_gif(data: ImageBytes) -> CleanedImage:
    """Return screen, colours, loop count and frames, bit for bit; no comment, text or tail.

    Raises:
        BrokenImage: the file ends within a block.
    """
    offset = HEADER_BYTES + colour_table_bytes(data[HEADER_BYTES - 3])
    pieces, control = [bytes(data[:offset])], b""
    while (block := data[offset : offset + 1]) and block != TRAILER:
        start, offset = offset, offset + 1
        if block == EXTENSION:
            offset = skip_sub_blocks(data, offset + 1)
            extension = bytes(data[start:offset])
            control = _graphic_control(extension) or control
            pieces += _loop_extension(extension)
        elif block == IMAGE_DESCRIPTOR:
            flags = data[offset + DESCRIPTOR_BYTES - 1 : offset + DESCRIPTOR_BYTES]
            if not flags:
                raise BrokenImage("the image ends within a block")
            offset = skip_sub_blocks(
                data, offset + DESCRIPTOR_BYTES + colour_table_bytes(flags[0]) + 1
            )
            pieces += [control, bytes(data[start:offset])]
            control = b""
    return CleanedImage([*pieces, TRAILER])


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
