"""An SMS webhook: takes messages from auth_service, and hands them to a provider of yours.

Run it with SMS_WEBHOOK_SECRET=whsec_…, and auth_service with SMS_PROVIDERS=webhook,
SMS_WEBHOOK_URL=http://127.0.0.1:9000/ and the same SMS_WEBHOOK_SECRET.
"""

import base64
import hashlib
import hmac
import json
import os
import sys
from email.message import Message
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import time as now  # noqa: TID251 - an example has no Clock
from typing import Any

SECRET = os.environ.get("SMS_WEBHOOK_SECRET", "")
MAX_AGE_SECONDS = 300
MAX_BYTES = 64 * 1024


def is_signed(headers: Message, body: bytes, secret: str) -> bool:
    """Return whether auth_service has just sent this body. Source: Standard Webhooks."""
    message_id, sent_at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not sent_at.isdecimal() or abs(now() - int(sent_at)) > MAX_AGE_SECONDS:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.digest(key, f"{message_id}.{sent_at}.".encode() + body, hashlib.sha256)
    expected = b"v1," + base64.b64encode(digest)
    signatures = headers.get("webhook-signature", "").encode().split()
    return any(hmac.compare_digest(signature, expected) for signature in signatures)


def hand_over(message: dict[str, Any]) -> None:
    """Give one message to your provider here; raise OSError when it should be tried again.

    A provider that fills templates by itself takes `template_id` and `parameters`, others take
    `text`. Never log a text or its parameters: they hold the code.
    """
    sys.stdout.write(f"{message['template']} ({message['locale']}) from {message['sender']}\n")


class Receiver(BaseHTTPRequestHandler):
    """Answers 204 when the message was taken, 401 for a wrong signature, 503 to be asked again."""

    taken: set[str] = set()  # noqa: RUF012 - keep it in your database, for as long as a code lives

    def do_POST(self) -> None:
        """Take one message; auth_service waits 2 seconds for the answer."""
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(min(length, MAX_BYTES))
        if not is_signed(self.headers, body, SECRET):
            self._answer(HTTPStatus.UNAUTHORIZED)
            return
        message = json.loads(body)
        try:
            if message["id"] not in self.taken:  # a repeat after a lost answer
                hand_over(message)
        except OSError:
            self._answer(HTTPStatus.SERVICE_UNAVAILABLE)
            return
        self.taken.add(message["id"])
        self._answer(HTTPStatus.NO_CONTENT)

    def _answer(self, status: HTTPStatus) -> None:
        self.send_response(status)
        self.end_headers()


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", 9000), Receiver).serve_forever()
