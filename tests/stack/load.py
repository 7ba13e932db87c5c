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

from tests.support.auth_client import Answer, read
from tests.support.media_client import FORM, day, part
from tests.support.pictures import encode

PEOPLE = 6
CODE_SECONDS = 10  # then a person asks again; a worker that died has left it to another by then
PAUSE_SECONDS = 0.05  # between what a person does, so that the machine is at work, not swamped
PATIENT_SECONDS = 20  # how long what was promised may be out of reach: it is asked for again
OUT_OF_REACH = {502, 503, 504}
HONOURED_SECONDS = 3  # a revoked token may not count for longer, whatever breaks
STEADY_SECONDS = 2
PATIENCE_SECONDS = 120
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
    products: list[str] = field(default_factory=list)
    refreshing: bool = False  # and while the answer is out, which refresh token is the newest
    leaving: bool = False  # its end was asked for; whether it came is known by `revoked_at`
    revoked_at: float | None = None
    told_later: bool = False  # revoked, and not yet known everywhere: 503 `revocation_pending`

    @property
    def ended(self) -> bool:
        return self.told_later or self.revoked_at is not None

    @property
    def promises(self) -> int:
        """How many things its owner was promised."""
        return int(self.ended) if self.leaving else 1 + len(self.uploads) + len(self.products)

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
    """People at the gateway; a request that fails is kept with the moments of its start and end."""

    http: ClientSession
    sessions: list[Session] = field(default_factory=list)
    failed: list[tuple[float, float, str]] = field(default_factory=list)
    wrongly_accepted: list[str] = field(default_factory=list)
    rounds: dict[int, list[float]] = field(default_factory=dict)
    requests: int = 0
    codes_awaited_in_vain: int = 0
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def start(self) -> None:
        self.rounds = {person: [] for person in range(PEOPLE)}
        self.tasks = [asyncio.create_task(self.live(person)) for person in self.rounds]
        self.tasks.append(asyncio.create_task(self.watch()))

    async def stop(self) -> None:
        """Let nobody be at work any more; what went wrong in the test itself is raised here."""
        for task in self.tasks:
            task.cancel()
        ended = await asyncio.gather(*self.tasks, return_exceptions=True)
        bugs = [one for one in ended if not isinstance(one, asyncio.CancelledError)]
        self.tasks = []
        assert bugs == []

    @property
    def failures(self) -> list[str]:
        """What went wrong, in the order in which it was answered."""
        return [what for _, _, what in self.failed]

    @property
    def told_later(self) -> int:
        """How many were signed out before every service knew."""
        return sum(session.told_later for session in self.sessions)

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
        self.failed.append((began, time.monotonic(), what))
        return Refused(what)

    async def live(self, person: int) -> None:
        """Sign in, upload, offer, refresh, look, every other time sign out: again and again."""
        for turn in count():
            try:
                session = await self._sign_in()
                for step in (self._upload, self._offer, self._refresh, self._look):
                    await asyncio.sleep(PAUSE_SECONDS)
                    await step(session)
                if turn % 2:
                    await self._sign_out(session)
                self.rounds[person].append(time.monotonic())
            except Refused:
                await asyncio.sleep(PAUSE_SECONDS)

    async def _sign_in(self) -> Session:
        while True:
            number = f"+9198{next(NUMBERS):08}"
            body = {"phone_number": number, "name": "Asha"}
            asked = await self.call("POST", "/v1/auth/signup", 202, json=body)
            if code := await self._code(number):
                break
            self.codes_awaited_in_vain += 1
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

    async def _offer(self, session: Session) -> None:
        offer = {"name": "Mug", "price": 49_900, "currency": "INR"}
        path, headers = "/v1/media/products", session.bearer
        kept = await self.call("POST", path, 201, json=offer, headers=headers)
        session.products.append(f"{path}/{kept.body['id']}")

    async def _look(self, session: Session) -> None:
        await self.call("GET", "/v1/media/scheduled", 200, headers=session.bearer)

    async def _refresh(self, session: Session) -> None:
        session.refreshing = True
        body = {"refresh_token": session.refresh_token}
        pair = await self.call("POST", "/v1/auth/refresh", 200, json=body)
        session.token, session.refresh_token = pair.body["access_token"], pair.body["refresh_token"]
        session.refreshing = False

    async def _sign_out(self, session: Session) -> None:
        session.leaving = True
        began = time.monotonic()
        ended = await self.call("POST", "/v1/auth/logout", 204, 503, headers=session.bearer)
        if ended.status == 503:
            if ended.code != "revocation_pending":
                raise self._refused(began, f"POST /v1/auth/logout: {ended.body}")
            session.told_later = True  # it is done, but for how long it counts is not promised
            return
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
            while sum(map(len, self.rounds.values())) < 3 * PEOPLE:
                await asyncio.sleep(0.05)

    async def steady(self, since: float) -> float:
        """Return when nothing has failed for a while and everybody has had a whole turn.

        Returns how long after `since` the last request that failed was answered, or given up.
        """
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not self._steady(since):
                await asyncio.sleep(0.05)
        return max([since, *(end for _, end, _ in self.failed)]) - since

    def _steady(self, since: float) -> bool:
        quiet = max([since, *(end for _, end, _ in self.failed)])
        again = all(done and done[-1] > quiet for done in self.rounds.values())
        return time.monotonic() - quiet > STEADY_SECONDS and again

    async def outcome(self, replicas: Iterable[str]) -> Outcome:
        """Ask for everything that was promised; each revoked token at every replica."""
        lost, wrong = [], list(self.wrongly_accepted)
        places = list(replicas)
        for session in self.sessions:
            if not session.leaving:
                lost += await self._missing(session)
            elif session.ended:
                wrong += await self._accepting(session, places)
        return Outcome(sum(one.promises for one in self.sessions), lost, wrong)

    async def _missing(self, session: Session) -> list[str]:
        kept = [("a session", "/v1/auth/me"), *(("a product", url) for url in session.products)]
        found = [(what, await self._asked("GET", at, headers=session.bearer)) for what, at in kept]
        if not session.refreshing:
            body = {"refresh_token": session.refresh_token}
            again = await self._asked("POST", "/v1/auth/refresh", json=body)
            found.append(("a refresh token", again))
        missing = [f"{what}: {one.status} {one.body}" for what, one in found if one.status != 200]
        for url, digest in session.uploads.items():
            file = await self._asked("GET", url, headers=session.bearer)
            if file.status != 200 or hashlib.sha256(file.body).hexdigest() != digest:
                missing.append(f"an upload: {file.status}")
        return missing

    async def _accepting(self, session: Session, places: list[str]) -> list[str]:
        """Every replica, that is, which does not refuse the session's token."""
        accepting = []
        for place in places:
            path = "/v1/auth/me" if place.endswith(":8000") else "/v1/media/creatives"
            found = await self._asked("GET", place + path, headers=session.bearer)
            if found.status != 401:
                accepting.append(f"{place}: {found.status} for a revoked token")
        return accepting

    async def _asked(self, method: str, url: str, **options: Any) -> Answer:
        """Return the answer; again, for a while, where somebody cannot answer at the moment."""
        deadline = time.monotonic() + PATIENT_SECONDS
        while True:
            async with self.http.request(method, url, **options) as response:
                answer = await read(response)
            if answer.status not in OUT_OF_REACH or time.monotonic() > deadline:
                return answer
            await asyncio.sleep(PAUSE_SECONDS)


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
