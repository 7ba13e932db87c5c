"""Messages between service and decoder: four bytes of length, then that much JSON.

A job goes through a socket, because descriptors of open files come with it; answers use a pipe.
"""

import json
import socket
from typing import Any

LENGTH_BYTES = 4
MAX_FRAME_BYTES = 64 * 1024
_MAX_DESCRIPTORS = 8

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
        ValueError: more than a frame may have, so the stream is corrupt.
    """
    length = int.from_bytes(header)
    if length > MAX_FRAME_BYTES:
        raise ValueError("frame too long")
    return length


def send(jobs: socket.socket, message: Message, descriptors: list[int]) -> None:
    """Send a job with its open files; it never waits, as there is one job at a time."""
    socket.send_fds(jobs, [pack(message)], descriptors)


def receive(jobs: socket.socket) -> tuple[Message, list[int]] | None:
    """Return the next job of a blocking socket and its open files, None at its end."""
    header, descriptors, _, _ = socket.recv_fds(jobs, LENGTH_BYTES, _MAX_DESCRIPTORS)
    if len(header) < LENGTH_BYTES:
        return None
    body = jobs.recv(frame_length(header), socket.MSG_WAITALL)
    return unpack(body), list(descriptors)
