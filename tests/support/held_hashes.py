"""Hashes that do not end before a test lets them."""

import threading

import pytest

from auth_service.password.hasher import Hasher


class HeldThreads:
    """Holds every hash until `go`, and notes the passwords in the order in which they are tried."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.tried: list[str] = []

    def hold(self, monkeypatch: pytest.MonkeyPatch) -> None:
        original = Hasher._matches

        def held(hasher: Hasher, password: str, stored: str) -> bool:
            self.tried.append(password)
            self.go.wait(10)
            return original(hasher, password, stored)

        monkeypatch.setattr(Hasher, "_matches", held)
