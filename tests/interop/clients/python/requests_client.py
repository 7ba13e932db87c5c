"""requests, with a session."""

import requests

from tests.interop.clients.python.steps import DAY, FILE_NAME, TIMEOUT_SECONDS, Request, serve

session = requests.Session()


def send(request: Request) -> tuple[int, bytes]:
    picture = request.picture
    answer = session.request(
        request.method,
        request.url,
        headers=request.headers,
        json=request.json,
        files={"file": (FILE_NAME, picture, "image/png")} if picture else None,
        data={"scheduled_at": DAY} if picture else None,
        timeout=TIMEOUT_SECONDS,
    )
    return answer.status_code, answer.content


serve(send)
