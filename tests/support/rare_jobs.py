"""What a service does at its start and then rarely, kept out of tests that are not about it."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Any

import pytest

from auth_service import app as auth_app
from media_service import app as media_app
from shared.background import run_periodically

RARE_SECONDS = 60
"""At its start, media_service does six jobs this rare, each in a connection of its own.

That costs PostgreSQL more than most tests do. A test that is about such a job takes `rare_jobs`.
"""
APPS = (auth_app, media_app)


@contextmanager
def without_rare_jobs() -> Iterator[None]:
    """Let the services in this process begin such jobs after a minute."""
    with pytest.MonkeyPatch.context() as patch:
        for app in APPS:
            patch.setattr(app, "run_periodically", _run_later_if_rare)
        yield


def with_rare_jobs(patch: pytest.MonkeyPatch) -> None:
    """Let the services begin them at once, as outside of tests."""
    for app in APPS:
        patch.setattr(app, "run_periodically", run_periodically)


def _run_later_if_rare(
    name: str,
    once: Callable[[], Awaitable[object]],
    *,
    pause: float | Callable[[], float],
    **options: Any,
) -> AbstractAsyncContextManager[None]:
    if not callable(pause) and pause >= RARE_SECONDS:
        options["delay"] = RARE_SECONDS
    return run_periodically(name, once, pause=pause, **options)
