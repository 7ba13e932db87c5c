"""Python's http.client, which reads no answer before it has sent the whole body."""

import http.client
from urllib.parse import urlsplit

from tests.interop.clients.python.steps import DAY, FILE_NAME, TIMEOUT_SECONDS, Request, serve

HEAD = '--frontier\r\nContent-Disposition: form-data; name="{}"{}\r\n\r\n'
connections: dict[str, http.client.HTTPConnection] = {}


def encode(request: Request) -> tuple[bytes | None, dict[str, str]]:
    """Return the body and the header that names its type."""
    if picture := request.picture:
        body = HEAD.format("file", f'; filename="{FILE_NAME}"').encode() + picture + b"\r\n"
        body += HEAD.format("scheduled_at", "").encode() + DAY.encode() + b"\r\n--frontier--\r\n"
        return body, {"Content-Type": "multipart/form-data; boundary=frontier"}
    if request.data:
        return request.data.encode(), {"Content-Type": "application/json"}
    return None, {}


def send(request: Request) -> tuple[int, bytes]:
    parts = urlsplit(request.url)
    if parts.netloc not in connections:
        connection = http.client.HTTPConnection(parts.netloc, timeout=TIMEOUT_SECONDS)
        connections[parts.netloc] = connection
    connection = connections[parts.netloc]
    body, headers = encode(request)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    connection.request(request.method, target, body, request.headers | headers)
    answer = connection.getresponse()
    return answer.status, answer.read()


serve(send)
