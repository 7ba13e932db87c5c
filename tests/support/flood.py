"""A receiver of webhooks in a process of its own that floods each request's sender without end."""

import contextlib
import socket
import sys

from tests.support.webhook_receiver import HOST

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
FLOODS = {
    "interim responses": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "interim responses with fields": (b"", b"HTTP/1.1 103 X\r\n" + b"A: b\r\n" * 100 + b"\r\n"),
    "head": (b"HTTP/1.1 200 OK\r\n", b"A: b\r\n"),
    "body": (b"HTTP/1.1 500 X\r\nContent-Length: 1000000000000\r\n\r\n", b"x"),
    "body until the end": (b"HTTP/1.1 200 OK\r\n\r\n", b"x"),
    "chunks": (CHUNKED, b"1\r\nx\r\n"),
    "chunk extension": (CHUNKED + b"1;", b"x"),
    "trailers": (CHUNKED + b"0\r\n", b"A: b\r\n"),
    "upgrade": (b"HTTP/1.1 101 X\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", b"x"),
}
"""What each one sends once, and then again and again."""


def main(kind: str) -> None:
    """Print the port, and flood one connection after the other."""
    once, again = FLOODS[kind]
    many = again * (1_000_000 // len(again))
    with socket.create_server((HOST, 0)) as server:
        print(server.getsockname()[1], flush=True)
        while True:
            connection, _ = server.accept()
            with connection, contextlib.suppress(ConnectionError):
                connection.recv(65536)
                connection.sendall(once + many)
                while True:
                    connection.sendall(many)


if __name__ == "__main__":
    main(sys.argv[1])
