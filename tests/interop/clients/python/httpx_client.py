"""httpx, with a client."""

import httpx

from tests.interop.clients.python.steps import DAY, FILE_NAME, TIMEOUT_SECONDS, Request, serve

client = httpx.Client(timeout=TIMEOUT_SECONDS)


def send(request: Request) -> tuple[int, bytes]:
    picture = request.picture
    answer = client.request(
        request.method,
        request.url,
        headers=request.headers,
        json=request.json,
        files={"file": (FILE_NAME, picture, "image/png")} if picture else None,
        data={"scheduled_at": DAY} if picture else None,
    )
    return answer.status_code, answer.content


serve(send)
