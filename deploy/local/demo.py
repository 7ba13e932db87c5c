"""`make demo`: run the main use case against a running stack and print each step's time."""

import asyncio
import hashlib
import os
import re
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
from standardwebhooks import WebhookVerificationError
from yarl import URL

from deploy.local.sample_photo import make_sample_photo
from deploy.local.webhook_receiver import WebhookReceiver, open_webhook_receiver

TIMEZONES = ("Asia/Kolkata", "America/Sao_Paulo")  # never both in their last hour of a day
LAST_HOUR_OF_DAY = 23
DEFAULT_PORT = 8000
POLL_TIMEOUT_SECONDS = 5.0
EXPECTED_FAILURES = (aiohttp.ClientError, TimeoutError, KeyError, WebhookVerificationError)
CODE = re.compile(r"(?<!\d)\d{6}(?!\d)")


class StepFailedError(Exception):
    """A step did not have the expected result; the message says what came instead."""


class Demo:
    """One user's requests, from sign-up to sign-out; each is checked and timed.

    `receiver`: gets a webhook; None leaves this out.
    """

    def __init__(self, http: aiohttp.ClientSession, receiver: WebhookReceiver | None) -> None:
        self._http, self._receiver = http, receiver
        self._phone = f"+9198765{secrets.randbelow(100_000):05}"
        self._zone = next(zone for zone in TIMEZONES if _now(zone).hour != LAST_HOUR_OF_DAY)
        self._tokens: dict[str, Any] = {}

    async def run(self) -> None:
        """Run every step.

        Raises:
            StepFailedError: a step did not have the expected result.
        """
        with step(f"asks for a code for {self._phone}"):
            body = {"name": "Asha Rao", "phone_number": self._phone}
            await self._call("POST", "/v1/auth/signup", 202, json=body)
        with step("reads the code in the inbox"):
            code = await self._read_code()
        with step("signs up with the code"):
            body = {"phone_number": self._phone, "otp": code}
            self._tokens = await self._call("POST", "/v1/auth/signup", 201, json=body)
        with step("makes a photo"):
            photo = await asyncio.to_thread(make_sample_photo)
        secret = await self._register(self._receiver) if self._receiver else ""
        with step(f"uploads its {len(photo) // 1024} KiB for today in {self._zone}"):
            creative = await self._upload(photo)
        if self._receiver:
            await self._wait_for_webhook(self._receiver, secret, creative["id"])
        with step("finds it among what is due today"):
            zone = {"timezone": self._zone}
            found = await self._call("GET", "/v1/media/scheduled", 200, auth=True, params=zone)
            today = [one["id"] for one in found["scheduled_creatives"]["today"]]
            if today != [creative["id"]]:
                raise StepFailedError(f"expected [{creative['id']}] for today, found {today}")
        with step("downloads what was kept of it, byte by byte"):
            async with self._http.get(creative["file_url"], headers=self._bearer()) as answer:
                if hashlib.sha256(await answer.read()).hexdigest() != creative["sha256"]:
                    raise StepFailedError(f"other bytes came back (status {answer.status})")
        with step("refreshes the tokens"):
            body = {"refresh_token": self._tokens["refresh_token"]}
            self._tokens = await self._call("POST", "/v1/auth/refresh", 200, json=body)
            await self._call("GET", "/v1/media/scheduled", 200, auth=True)
        with step("signs out"):
            await self._call("POST", "/v1/auth/logout", 204, auth=True)
        with step("is refused by media_service with the same token"):
            await self._refused()

    async def _register(self, receiver: WebhookReceiver) -> str:
        """Return the secret of the webhook."""
        with step(f"registers a webhook for {receiver.url}"):
            body = {"url": receiver.url, "events": ["creative.due"]}
            webhook = await self._call("POST", "/v1/media/webhooks", 201, auth=True, json=body)
        return str(webhook["secret"])

    async def _wait_for_webhook(
        self, receiver: WebhookReceiver, secret: str, creative_id: str
    ) -> None:
        with step("receives the signed webhook that it is due, since today has begun"):
            async with asyncio.timeout(POLL_TIMEOUT_SECONDS):
                message = await receiver.read(secret)
            if (message["type"], message["data"]["id"]) != ("creative.due", creative_id):
                raise StepFailedError(f"another message came: {message}")

    async def _upload(self, photo: bytes) -> dict[str, Any]:
        form = aiohttp.FormData()
        form.add_field("scheduled_at", _now(self._zone).date().isoformat())
        form.add_field("timezone", self._zone)
        form.add_field("title", "Sunrise")
        form.add_field("file", photo, filename="sunrise.jpg", content_type="image/jpeg")
        return await self._call("POST", "/v1/media/creatives", 201, auth=True, data=form)

    async def _read_code(self) -> str:
        deadline = time.monotonic() + POLL_TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            found = await self._call("GET", "/v1/auth/dev/inbox", 200, params={"to": self._phone})
            if found["items"] and (code := CODE.search(found["items"][0]["text"])):
                return code[0]
            await asyncio.sleep(0.01)
        raise StepFailedError("no message with a code arrived")

    async def _refused(self) -> None:
        """Repeat the request until the token is refused; the step's time is how long that takes."""
        deadline = time.monotonic() + POLL_TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            async with self._http.get("/v1/media/scheduled", headers=self._bearer()) as answer:
                if answer.status != 200:  # noqa: PLR2004 -- OK
                    problem = await answer.json(content_type=None)
                    if (answer.status, problem.get("code")) == (401, "token_revoked"):
                        return
                    raise StepFailedError(
                        f"expected 401 token_revoked, got {answer.status} {problem}"
                    )
        raise StepFailedError("the token is still taken")

    def _bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._tokens['access_token']}"}

    async def _call(
        self, method: str, path: str, status: int, *, auth: bool = False, **options: Any
    ) -> dict[str, Any]:
        headers = self._bearer() if auth else {}
        async with self._http.request(method, path, headers=headers, **options) as answer:
            text = await answer.text()
            if answer.status != status:
                raise StepFailedError(
                    f"{method} {path}: expected {status}, got {answer.status} {text}"
                )
            return await answer.json() if text else {}


@contextmanager
def step(description: str) -> Iterator[None]:
    """Print the step with its time, or as failed."""
    started = time.perf_counter()
    try:
        yield
    except (StepFailedError, *EXPECTED_FAILURES) as error:
        print(f"  failed   {description}")
        raise StepFailedError(f"{error}" or type(error).__name__) from error
    print(f"{(time.perf_counter() - started) * 1000:7.1f} ms  {description}", flush=True)


def _now(zone: str) -> datetime:
    return datetime.now(ZoneInfo(zone))


async def _is_serving(http: aiohttp.ClientSession) -> bool:
    """Return whether both services answer; every deployment serves their OpenAPI documents."""
    try:
        for service in ("auth", "media"):
            async with http.get(f"/v1/{service}/openapi.json", raise_for_status=True):
                pass
    except (aiohttp.ClientError, TimeoutError):
        return False
    return True


def _start_hint(base: str) -> str:
    if os.environ.get("BASE_URL"):
        return "is it the right address?"
    port = URL(base).port
    if port == DEFAULT_PORT:
        return "start it with `make run`, or name the port of the one that runs: `make demo PORT=…`"
    return f"start it with `make run PORT={port}`"


async def run_demo(base: str) -> int:
    """Run the demo against `base` and return the exit code."""
    timeout = aiohttp.ClientTimeout(total=30)
    async with aiohttp.ClientSession(base, timeout=timeout) as http:
        if not await _is_serving(http):
            print(f"demo: nothing is ready at {base}: {_start_hint(base)}", file=sys.stderr)
            return 1
        try:
            async with AsyncExitStack() as stack:
                receiver = None
                if os.environ.get("BASE_URL"):
                    print("no webhook: what BASE_URL names may not reach this machine")
                else:
                    receiver = await stack.enter_async_context(open_webhook_receiver())
                await Demo(http, receiver).run()
        except StepFailedError as error:
            print(f"demo: {error}", file=sys.stderr)
            return 1
    print(f"the whole job is done; look around at {base}")
    return 0


if __name__ == "__main__":
    address = (
        os.environ.get("BASE_URL") or f"http://localhost:{os.environ.get('PORT') or DEFAULT_PORT}"
    )
    sys.exit(asyncio.run(run_demo(address)))
