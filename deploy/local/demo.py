"""`make demo`: walk the main job against a running stack, and say how long each step took."""

import asyncio
import hashlib
import os
import re
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
from yarl import URL

from deploy.local.sample_photo import take_photograph

ZONES = ("Asia/Kolkata", "America/Sao_Paulo")  # never both in their last hour of a day
LAST_HOUR = 23
USUAL_PORT = 8000
PATIENCE_SECONDS = 5.0
CODE = re.compile(r"(?<!\d)\d{6}(?!\d)")


class StepFailed(Exception):
    """A step did not end as it should; the message says what came instead."""


class Walk:
    """One person's way through the service: each step is a request, checked and timed."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http
        self._phone = f"+9198765{secrets.randbelow(100_000):05}"
        self._zone = next(zone for zone in ZONES if _now(zone).hour != LAST_HOUR)
        self._tokens: dict[str, Any] = {}
        self._creative: dict[str, Any] = {}
        self._photograph = b""

    async def go(self) -> None:
        """Take every step.

        Raises:
            StepFailed: one did not end as it should.
        """
        with step(f"asks for a code for {self._phone}"):
            body = {"name": "Asha Rao", "phone_number": self._phone}
            await self._call("POST", "/v1/auth/signup", 202, json=body)
        with step("reads the code in the inbox"):
            code = await self._read_code()
        with step("signs up with the code"):
            body = {"phone_number": self._phone, "otp": code}
            self._tokens = await self._call("POST", "/v1/auth/signup", 201, json=body)
        with step("takes a photograph"):
            self._photograph = await asyncio.to_thread(take_photograph)
        with step(f"uploads its {len(self._photograph) // 1024} KiB for today in {self._zone}"):
            await self._upload()
        with step("finds it among what is due today"):
            await self._find()
        with step("downloads what was kept of it, byte by byte"):
            await self._download()
        with step("refreshes the tokens"):
            body = {"refresh_token": self._tokens["refresh_token"]}
            self._tokens = await self._call("POST", "/v1/auth/refresh", 200, json=body)
            await self._call("GET", "/v1/media/scheduled", 200, auth=True)
        with step("signs out"):
            await self._call("POST", "/v1/auth/logout", 204, auth=True)
        with step("is refused by media_service with the same token"):
            await self._refused()

    async def _read_code(self) -> str:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            found = await self._call("GET", "/v1/auth/dev/inbox", 200, params={"to": self._phone})
            if found["items"] and (code := CODE.search(found["items"][0]["text"])):
                return code[0]
            await asyncio.sleep(0.01)
        raise StepFailed("no message with a code arrived")

    async def _upload(self) -> None:
        form = aiohttp.FormData()
        form.add_field("scheduled_at", _now(self._zone).date().isoformat())
        form.add_field("timezone", self._zone)
        form.add_field("title", "Sunrise")
        form.add_field("file", self._photograph, filename="sunrise.jpg", content_type="image/jpeg")
        self._creative = await self._call("POST", "/v1/media/creatives", 201, auth=True, data=form)

    async def _find(self) -> None:
        found = await self._call(
            "GET", "/v1/media/scheduled", 200, auth=True, params={"timezone": self._zone}
        )
        today = [creative["id"] for creative in found["scheduled_creatives"]["today"]]
        if today != [self._creative["id"]]:
            raise StepFailed(f"expected [{self._creative['id']}] for today, found {today}")

    async def _download(self) -> None:
        async with self._http.get(self._creative["file_url"], headers=self._bearer()) as answer:
            if hashlib.sha256(await answer.read()).hexdigest() != self._creative["sha256"]:
                raise StepFailed(f"other bytes came back (status {answer.status})")

    async def _refused(self) -> None:
        """Ask until the token is dead; how long that takes is the step's time."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            async with self._http.get("/v1/media/scheduled", headers=self._bearer()) as answer:
                if answer.status != 200:  # noqa: PLR2004 -- OK
                    problem = await answer.json(content_type=None)
                    if (answer.status, problem.get("code")) == (401, "token_revoked"):
                        return
                    raise StepFailed(f"expected 401 token_revoked, got {answer.status} {problem}")
        raise StepFailed("the token is still taken")

    def _bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._tokens['access_token']}"}

    async def _call(
        self, method: str, path: str, status: int, *, auth: bool = False, **options: Any
    ) -> dict[str, Any]:
        headers = self._bearer() if auth else {}
        async with self._http.request(method, path, headers=headers, **options) as answer:
            text = await answer.text()
            if answer.status != status:
                raise StepFailed(f"{method} {path}: expected {status}, got {answer.status} {text}")
            return await answer.json() if text else {}


@contextmanager
def step(what: str) -> Iterator[None]:
    """Print the step with its time, or with what went wrong."""
    started = time.perf_counter()
    try:
        yield
    except (StepFailed, aiohttp.ClientError, TimeoutError, KeyError) as error:
        print(f"  failed   {what}")
        raise StepFailed(f"{error}" or type(error).__name__) from error
    print(f"{(time.perf_counter() - started) * 1000:7.1f} ms  {what}", flush=True)


def _now(zone: str) -> datetime:
    return datetime.now(ZoneInfo(zone))


async def _served(http: aiohttp.ClientSession) -> bool:
    """Tell whether both services are there, by what every way to run them shows."""
    try:
        for service in ("auth", "media"):
            async with http.get(f"/v1/{service}/openapi.json", raise_for_status=True):
                pass
    except (aiohttp.ClientError, TimeoutError):
        return False
    return True


def _advice(base: str) -> str:
    if os.environ.get("BASE_URL"):
        return "is it the right address?"
    port = URL(base).port
    if port == USUAL_PORT:
        return "start it with `make run`, or name the port of the one that runs: `make demo PORT=…`"
    return f"start it with `make run PORT={port}`"


async def run(base: str) -> int:
    """Walk against `base` and return the exit code."""
    timeout = aiohttp.ClientTimeout(total=30)
    async with aiohttp.ClientSession(base, timeout=timeout) as http:
        if not await _served(http):
            print(f"demo: nothing is ready at {base}: {_advice(base)}", file=sys.stderr)
            return 1
        try:
            await Walk(http).go()
        except StepFailed as error:
            print(f"demo: {error}", file=sys.stderr)
            return 1
    print(f"the whole job is done; look around at {base}")
    return 0


if __name__ == "__main__":
    address = (
        os.environ.get("BASE_URL") or f"http://127.0.0.1:{os.environ.get('PORT') or USUAL_PORT}"
    )
    sys.exit(asyncio.run(run(address)))
