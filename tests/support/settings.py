"""Settings that are validated once for all tests that want the same ones."""

import os
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TypeVar

from shared.settings import EnvironmentSettings

S = TypeVar("S", bound=EnvironmentSettings)
CHANGES_PER_TEST = "PYTEST_CURRENT_TEST"


def build_settings(model: type[S], values: Mapping[str, Any]) -> S:
    """Return what `model(**values)` does in this environment; its files are taken as unchanged."""
    environment = {name: text for name, text in os.environ.items() if name != CHANGES_PER_TEST}
    built: S = _build(model, tuple(sorted(values.items())), tuple(sorted(environment.items())))
    return built


@lru_cache(maxsize=64)
def _build(model: type[S], values: tuple[tuple[str, Any], ...], _environment: object) -> S:
    return model(**dict(values))
