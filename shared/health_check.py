"""The containers' health check: prints the answer of `/readyz` for `docker inspect`.

It runs every two seconds, so it imports nothing but the standard library.
"""

import os
import socket
import sys

TIMEOUT_SECONDS = 3


def main() -> int:
    """Return 0 when the service is ready, 1 otherwise."""
    port = int(os.environ.get("PORT", "8000"))
    try:
        with socket.create_connection(("127.0.0.1", port), TIMEOUT_SECONDS) as connection:
            connection.sendall(b"GET /readyz HTTP/1.0\r\n\r\n")
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
    except OSError as away:
        sys.stdout.write(f"port {port} gives no answer: {away}\n")
        return 1
    head, _, body = answer.partition(b"\r\n\r\n")
    sys.stdout.write(body.decode(errors="replace") + "\n")
    return 0 if b" 200 " in head.partition(b"\r\n")[0] else 1


if __name__ == "__main__":
    sys.exit(main())
