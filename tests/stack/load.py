"""People who use the stack all the while, and remember what they were promised."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector

from tests.support.journey import Answer, read
from tests.support.media import FORM, day, part
from tests.support.pictures import encode

PEOPLE = 6
CODE_SECONDS = 2  # then a person asks again
PAUSE_SECONDS = 0.05
HONOURED_SECONDS = 3  # a revoked token may not count for longer, whatever breaks
STEADY_SECONDS = 2
PATIENCE_SECONDS = 40
TIMEOUT = ClientTimeout(total=30)
NUMBERS = count(int(time.time() * 10) % 90_000_000)


class Refused(Exception):
    """Something else came than was to be expected."""


@dataclass
class Session:
    """A session that was acknowledged, and what its owner was promised since."""

    token: str
    refresh_token: str
    uploads: dict[str, str] = field(default_factory=dict)
    refreshing: bool = False  # and while the answer is out, which refresh token is the newest
    leaving: bool = False  # its end was asked for; whether it came is known by `revoked_at`
    revoked_at: float | None = None

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@dataclass
class Outcome:
    """What became of the promises."""

    acknowledged: int
    lost: list[str]
    wrongly_accepted: list[str]


@dataclass
class Load:
    """People at the gateway; a request that fails is kept with the moment at which it was sent."""

    http: ClientSession
    sessions: list[Session] = field(default_factory=list)
    failures: list[tuple[float, str]] = field(default_factory=list)
    wrongly_accepted: list[str] = field(default_factory=list)
    rounds: list[float] = field(default_factory=list)
    requests: int = 0
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def start(self) -> None:
        self.tasks = [asyncio.create_task(self.live()) for _ in range(PEOPLE)]
        self.tasks.append(asyncio.create_task(self.watch()))

    async def stop(self) -> None:
        """Let nobody be at work any more; what went wrong in the test itself is raised here."""
        for task in self.tasks:
            task.cancel()
        ended = await asyncio.gather(*self.tasks, return_exceptions=True)
        bugs = [one for one in ended if not isinstance(one, asyncio.CancelledError)]
        self.tasks = []
        assert bugs == []

    async def call(self, method: str, path: str, *expected: int, **options: Any) -> Answer:
        """Send a request; anything but an expected status counts as a failure."""
        self.requests += 1
        began = time.monotonic()
        try:
            async with self.http.request(method, path, **options) as response:
                answer = await read(response)
        except (ClientError, OSError, TimeoutError) as error:
            raise self._refused(began, f"{method} {path}: {error!r}") from error
        if answer.status not in expected:
            raise self._refused(began, f"{method} {path}: {answer.status} {answer.body}")
        return answer

    def _refused(self, began: float, what: str) -> Refused:
        self.failures.append((began, what))
        return Refused(what)

    async def live(self) -> None:
        """Sign in, upload, refresh, look, every other time sign out: again and again."""
        for turn in count():
            try:
                session = await self._sign_in()
                await self._upload(session)
                await self._refresh(session)
                await self.call("GET", "/v1/media/scheduled", 200, headers=session.bearer)
                if turn % 2:
                    await self._sign_out(session)
                self.rounds.append(time.monotonic())
            except Refused:
                await asyncio.sleep(PAUSE_SECONDS)

    async def _sign_in(self) -> Session:
        while True:
            number = f"+9198{next(NUMBERS):08}"
            body = {"phone_number": number, "name": "Asha"}
            asked = await self.call("POST", "/v1/auth/signup", 202, json=body)
            if code := await self._code(number):
                break
        entry = {"phone_number": number, "otp": code, "challenge": asked.body["challenge"]}
        pair = await self.call("POST", "/v1/auth/signup", 201, json=entry)
        session = Session(pair.body["access_token"], pair.body["refresh_token"])
        self.sessions.append(session)
        again = await self.call("POST", "/v1/auth/signup", 200, 201, 401, json=entry)
        if again.status != 401:
            self.wrongly_accepted.append("a code, twice")
        return session

    async def _code(self, number: str) -> str | None:
        deadline = time.monotonic() + CODE_SECONDS
        while time.monotonic() < deadline:
            inbox = await self.call("GET", "/v1/auth/dev/inbox", 200, params={"to": number})
            texts = [str(item["text"]) for item in inbox.body["items"]]
            if texts:
                return next(text[:6] for text in texts if text[:6].isdigit())
            await asyncio.sleep(0.02)
        return None

    async def _upload(self, session: Session) -> None:
        picture = encode("PNG", seed=next(NUMBERS))
        file = part("file", picture, '; filename="photo.png"')
        form = file + part("scheduled_at", day(0)) + b"--frontier--\r\n"
        headers = session.bearer | FORM
        kept = await self.call("POST", "/v1/media/creatives", 201, data=form, headers=headers)
        session.uploads[kept.body["file_url"]] = kept.body["sha256"]

    async def _refresh(self, session: Session) -> None:
        session.refreshing = True
        body = {"refresh_token": session.refresh_token}
        pair = await self.call("POST", "/v1/auth/refresh", 200, json=body)
        session.token, session.refresh_token = pair.body["access_token"], pair.body["refresh_token"]
        session.refreshing = False

    async def _sign_out(self, session: Session) -> None:
        session.leaving = True
        await self.call("POST", "/v1/auth/logout", 204, headers=session.bearer)
        session.revoked_at = time.monotonic()
        if (await self.call("GET", "/v1/auth/me", 200, 401, headers=session.bearer)).status == 200:
            self.wrongly_accepted.append("auth_service: a token, after its sign-out")

    async def watch(self) -> None:
        """Try the tokens of those who have signed out, from the moment on that none may count."""
        while True:
            limit = time.monotonic() - HONOURED_SECONDS
            gone = [one for one in self.sessions if one.revoked_at and one.revoked_at < limit]
            for session in gone[-5:]:
                url = "/v1/media/creatives"
                try:
                    async with self.http.get(url, headers=session.bearer) as answer:
                        if answer.status == 200:
                            self.wrongly_accepted.append("media_service: a token, after 3 s")
                except (ClientError, OSError, TimeoutError):
                    pass
            await asyncio.sleep(0.2)

    async def under_way(self) -> None:
        """Return when everybody has had a few turns."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(self.rounds) < 3 * PEOPLE:
                await asyncio.sleep(0.05)

    async def steady(self, since: float) -> float:
        """Return when nothing has failed for a while; how long after `since` the last was sent."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not self._steady(since):
                await asyncio.sleep(0.05)
        last_failure = max([since, *(at for at, _ in self.failures)])
        first_round = min(at for at in self.rounds if at > since)
        return max(last_failure, first_round) - since

    def _steady(self, since: float) -> bool:
        quiet = max([since, *(at for at, _ in self.failures)])
        done = [at for at in self.rounds if at > quiet]
        return time.monotonic() - quiet > STEADY_SECONDS and len(done) >= PEOPLE

    async def outcome(self, replicas: Iterable[str]) -> Outcome:
        """Ask for everything that was promised; each revoked token at every replica."""
        lost, wrong = [], list(self.wrongly_accepted)
        places = list(replicas)
        for session in self.sessions:
            if not session.leaving:
                lost += await self._missing(session)
            if session.revoked_at is None:
                continue
            for place in places:
                path = "/v1/auth/me" if place.endswith(":8000") else "/v1/media/creatives"
                async with self.http.get(place + path, headers=session.bearer) as answer:
                    if answer.status != 401:
                        wrong.append(f"{place}: {answer.status} for a revoked token")
        promised = sum(
            1 + len(one.uploads) if not one.leaving else one.revoked_at is not None
            for one in self.sessions
        )
        return Outcome(promised, lost, wrong)

    async def _missing(self, session: Session) -> list[str]:
        missing = []
        async with self.http.get("/v1/auth/me", headers=session.bearer) as answer:
            if answer.status != 200:
                missing.append(f"a session: {answer.status} {await answer.text()}")
        for url, digest in session.uploads.items():
            async with self.http.get(url, headers=session.bearer) as answer:
                if hashlib.sha256(await answer.read()).hexdigest() != digest:
                    missing.append(f"an upload: {answer.status}")
        if not session.refreshing:
            body = {"refresh_token": session.refresh_token}
            async with self.http.post("/v1/auth/refresh", json=body) as answer:
                if answer.status != 200:
                    missing.append(f"a refresh token: {answer.status} {await answer.text()}")
        return missing


@asynccontextmanager
async def load_on(address: str) -> AsyncIterator[Load]:
    """Have people at work inside the block, until `stop` or its end."""
    connector = TCPConnector(limit=0, force_close=True)  # as many short-lived clients do
    async with ClientSession(address, connector=connector, timeout=TIMEOUT) as http:
        load = Load(http)
        load.start()
        try:
            yield load
        finally:
            await load.stop()
