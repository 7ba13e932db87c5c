"""HTTP/1.1 as the bench speaks it: rendered once, parsed as little as an honest count needs."""

import json

END = b"\r\n\r\n"
LENGTH = b"\r\nContent-Length: "
NO_CONTENT = 204


def render(method: str, path: str, *, body: object = None, token: str = "") -> bytes:
    """One request, as a client that keeps its connection sends it."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "User-Agent: bench"]
    content = b""
    if token:
        lines.append(f"Authorization: Bearer {token}")
    if body is not None:
        content = json.dumps(body).encode()
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    return "\r\n".join([*lines, "", ""]).encode() + content


def measure(buffer: bytes | bytearray) -> tuple[int, int] | None:
    """Status and whole length of the answer that `buffer` begins with; None while it is cut off.

    Raises:
        ValueError: an answer without a length, which none of our servers sends.
    """
    end = buffer.find(END)
    if end < 0:
        return None
    status = int(buffer[9:12])
    total = end + len(END)
    found = buffer.find(LENGTH, 0, end + 2)
    if found >= 0:
        start = found + len(LENGTH)
        total += int(buffer[start : buffer.find(b"\r\n", start)])
    elif status != NO_CONTENT:
        raise ValueError(f"an answer without a length: {bytes(buffer[:end])!r}")
    return (status, total) if len(buffer) >= total else None
