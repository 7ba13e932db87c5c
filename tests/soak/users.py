"""Honest users: each signs in, does a dozen things in random order, and signs out, over and over.

What a user keeps is bounded, so that neither answers nor tables of the live grow with time.
"""

import asyncio
import hashlib
import random
import time
from collections import deque
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from tests.soak.codes import Codes
from tests.soak.record import Client, Pacer, UnexpectedAnswer
from tests.support.accounts import PASSWORD
from tests.support.auth_client import AUTH, Answer
from tests.support.media_client import FORM, MEDIA, day, picture_form
from tests.support.pictures import encode
from tests.support.products import LAMP

KEPT = 10  # pictures, and products, of each user
STEPS = 12  # of a session
NEWCOMER_EVERY = 4  # sessions
PAUSE_SECONDS = 0.2  # after an unexpected answer
KINDS = ("JPEG", "PNG", "WEBP")
NUMBERS = count(int(time.time()) % 9_000_000 * 10)


@dataclass
class Session:
    """Tokens of one sign-in."""

    token: str
    refresh_token: str
    since: float

    @classmethod
    def of(cls, pair: dict[str, Any]) -> "Session":
        return cls(pair["access_token"], pair["refresh_token"], time.monotonic())


@dataclass
class User:
    """One person with an account and a device."""

    client: Client
    codes: Codes
    token_life: float
    seed: int
    mobile: str = field(default_factory=lambda: f"+9198{next(NUMBERS):08}")
    device: str = ""
    creatives: deque[tuple[str, str, str]] = field(default_factory=deque)  # id, address, sha256
    products: deque[str] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)  # noqa: S311 -- repeatable load, no secret
        self.username = f"soak{self.mobile[-8:]}"

    async def register(self) -> Session:
        """Register with mobile, mail and password, and activate."""
        body = {"mobile": self.mobile, "username": self.username, "password": PASSWORD}
        body["email"] = f"{self.username}@example.org"
        sent = await self._post("register", "/register", 201, **body)
        entry = {"mobile": self.mobile, "challenge": sent.body["challenge"]}
        return await self._enter("activate", "/verify-otp", entry, 200)

    async def live(self) -> None:
        """Use the service until cancelled."""
        for turn in count(self.seed):
            try:
                if turn % NEWCOMER_EVERY == 0:
                    await self.invite()
                session = await (self.sign_in_by_code if turn % 2 else self.sign_in_by_password)()
                await self.use(session)
                await self.sign_out(session)
            except UnexpectedAnswer:
                await asyncio.sleep(PAUSE_SECONDS)

    async def invite(self) -> None:
        """Let somebody new sign up, look around, and sign out."""
        newcomer = User(self.client, self.codes, self.token_life, self.seed)
        session = await newcomer.sign_up()
        for step in (newcomer.read_me, newcomer.read_schedule, newcomer.search):
            await step(session)
        await newcomer.sign_out(session)

    async def use(self, session: Session) -> None:
        """Take a session's steps."""
        steps = {
            self.read_me: 4, self.read_schedule: 4, self.search: 3, self.download: 3,
            self.upload: 2, self.offer: 1, self.list_creatives: 1, self.list_products: 1,
            self.refresh: 1,
        }  # fmt: skip
        for step in self.random.choices(list(steps), list(steps.values()), k=STEPS):
            if time.monotonic() - session.since > self.token_life / 2:
                await self.refresh(session)
            await step(session)

    # -------------------------------------------------------------------------- sessions

    async def sign_up(self) -> Session:
        sent = await self._post("sign-up", "/signup", 202, phone_number=self.mobile, name="Asha")
        entry = {"phone_number": self.mobile, "challenge": sent.body["challenge"]}
        return await self._enter("sign-up code", "/signup", entry, 201)

    async def sign_in_by_code(self) -> Session:
        sent = await self._post("ask for code", "/login", 202, mobile=self.mobile, **self._known())
        entry = {"mobile": self.mobile, "challenge": sent.body["challenge"]} | self._known()
        return await self._enter("sign-in by code", "/login", entry, 200)

    async def sign_in_by_password(self) -> Session:
        body = {"username": self.username, "password": PASSWORD} | self._known()
        return self._signed_in(await self._post("sign-in by password", "/login", 200, **body))

    async def refresh(self, session: Session) -> None:
        body = {"refresh_token": session.refresh_token}
        pair = (await self._post("refresh", "/refresh", 200, **body)).body
        session.token, session.refresh_token = pair["access_token"], pair["refresh_token"]
        session.since = time.monotonic()

    async def sign_out(self, session: Session) -> None:
        """Sign out, then try the token once at each service."""
        await self.client.call("sign-out", "POST", f"{AUTH}/logout", 204, token=session.token)
        self.client.record.sign_outs += 1
        ended, at_once = time.monotonic(), replace(self.client, pacer=Pacer())
        for path in (f"{MEDIA}/scheduled", f"{AUTH}/me"):
            step = f"after sign-out: {path}"
            tried = await at_once.call(step, "GET", path, 200, 401, token=session.token)
            if tried.status != 401:
                after = (time.monotonic() - ended) * 1000
                self.client.record.honoured.append(f"{path}, {after:.0f} ms after the 204")

    # -------------------------------------------------------------------------- steps

    async def read_me(self, session: Session) -> None:
        await self._get("/me", f"{AUTH}/me", session)

    async def read_schedule(self, session: Session) -> None:
        await self._get("schedule", f"{MEDIA}/scheduled", session)

    async def list_creatives(self, session: Session) -> None:
        await self._get("creatives", f"{MEDIA}/creatives", session)

    async def list_products(self, session: Session) -> None:
        await self._get("products", f"{MEDIA}/products", session)

    async def search(self, _session: Session) -> None:
        path = f"{MEDIA}/products/public"
        await self.client.call("public search", "GET", path, 200, params={"q": "lamp"})

    async def upload(self, session: Session) -> None:
        """Upload a real small picture, and delete the oldest one when there are enough."""
        kind, side = self.random.choice(KINDS), self.random.randrange(64, 800)
        picture = await asyncio.to_thread(encode, kind, (side, side), self.random.randrange(10**6))
        path, body = f"{MEDIA}/creatives", picture_form(picture, when=day(0))
        kept = await self.client.call(
            "upload", "POST", path, 201, token=session.token, data=body, headers=FORM
        )
        self.creatives.append((kept.body["id"], kept.body["file_url"], kept.body["sha256"]))
        if len(self.creatives) > KEPT:
            await self._delete(session, f"{path}/{self.creatives.popleft()[0]}")

    async def offer(self, session: Session) -> None:
        path = f"{MEDIA}/products"
        kept = await self.client.call("product", "POST", path, 201, token=session.token, json=LAMP)
        self.products.append(kept.body["id"])
        if len(self.products) > KEPT:
            await self._delete(session, f"{path}/{self.products.popleft()}")

    async def download(self, session: Session) -> None:
        if not self.creatives:
            return
        _, address, digest = self.random.choice(self.creatives)
        file = await self._get("download", address, session)
        if hashlib.sha256(file.body).hexdigest() != digest:
            self.client.record.wrong_bytes.append(address)

    # -------------------------------------------------------------------------- requests

    async def _get(self, step: str, path: str, session: Session) -> Answer:
        return await self.client.call(step, "GET", path, 200, token=session.token)

    async def _delete(self, session: Session, path: str) -> None:
        await self.client.call("delete", "DELETE", path, 204, token=session.token)

    async def _post(self, step: str, path: str, expected: int, **body: str) -> Answer:
        return await self.client.call(step, "POST", AUTH + path, expected, json=body)

    async def _enter(self, step: str, path: str, entry: dict[str, str], expected: int) -> Session:
        try:
            code = await self.codes.read(self.mobile)
        except TimeoutError:
            raise self.client.record.refuse(step, 0, "the code did not arrive") from None
        return self._signed_in(await self._post(step, path, expected, **entry, otp=code))

    def _signed_in(self, answer: Answer) -> Session:
        self.device = answer.body.get("device") or self.device
        return Session.of(answer.body)

    def _known(self) -> dict[str, str]:
        return {"device": self.device} if self.device else {}


class Administrator(User):
    """Reads what administrators read; the role comes from the command line."""

    async def use(self, session: Session) -> None:
        for path, query in (
            ("users", {"limit": "20"}),
            ("users", {"q": "soak"}),
            ("audit", {"limit": "50"}),
            ("deliveries/dead", {}),
        ):
            if time.monotonic() - session.since > self.token_life / 2:
                await self.refresh(session)
            await self.client.call(
                f"admin: {path}", "GET", f"{AUTH}/admin/{path}", 200,
                token=session.token, params=query,
            )  # fmt: skip
