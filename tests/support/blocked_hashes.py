"""Password hashes that block until a test releases them."""

import threading
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest

from auth_service.password.hasher import Hasher
from tests.support.accounts import PASSWORD, post
from tests.support.auth_client import Answer, AuthClient

Open = Callable[..., AbstractAsyncContextManager[Hasher]]
MANY_CLIENTS = {"trusted_proxies": "127.0.0.1", "argon2_concurrency": 1}
EMAIL = "asha.rao@example.com"
ASHA = {"email": EMAIL, "username": "asha", "password": PASSWORD}
OWNER = "203.0.113.7"


async def login(auth: AuthClient, password: str, address: str) -> Answer:
    return await post(auth, "/login", address=address, email=EMAIL, password=password)


class BlockedHashes:
    """Holds every hash until `go`, and notes the passwords in the order in which they are tried."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.tried: list[str] = []

    def hold(self, monkeypatch: pytest.MonkeyPatch) -> None:
        original = Hasher._matches

        def held(hasher: Hasher, password: str, stored: str) -> bool:
            self.tried.append(password)
            self.go.wait(60)
            return original(hasher, password, stored)

        monkeypatch.setattr(Hasher, "_matches", held)
