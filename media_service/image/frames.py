"""The pipe's language: four bytes of length, then that much JSON."""

import json
from typing import Any, BinaryIO

LENGTH_BYTES = 4
MAX_FRAME_BYTES = 64 * 1024

Message = dict[str, Any]


def pack(message: Message) -> bytes:
    """Return the message as one frame."""
    body = json.dumps(message).encode()
    return len(body).to_bytes(LENGTH_BYTES) + body


def unpack(body: bytes) -> Message:
    """Return the message of a frame's body."""
    message: Message = json.loads(body)
    return message


def frame_length(header: bytes) -> int:
    """Return how many bytes the frame's body has.

    Raises:
        ValueError: more than a frame may have, so the other side is out of step.
    """
    length = int.from_bytes(header)
    if length > MAX_FRAME_BYTES:
        message = "frame too long"
        raise ValueError(message)
    return length


def read(stream: BinaryIO) -> Message | None:
    """Return the next message of a blocking stream, None at its end."""
    header = stream.read(LENGTH_BYTES)
    if len(header) < LENGTH_BYTES:
        return None
    return unpack(stream.read(frame_length(header)))
