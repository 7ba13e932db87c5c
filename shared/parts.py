"""Parts of a composition root, built by the names of what they need."""

from functools import cached_property
from inspect import signature
from typing import TypeVar

T = TypeVar("T")


class Part(cached_property[T]):
    """A part of a composition root, built once, when it is first needed.

    Each parameter of its constructor is the part with that name; a test compares their types.
    """

    def __init__(self, built: type[T]) -> None:
        self.built = built
        super().__init__(self._build)

    def _build(self, wiring: object) -> T:
        return self.built(**{name: getattr(wiring, name) for name in self._parameters})

    @cached_property
    def _parameters(self) -> tuple[str, ...]:
        return tuple(signature(self.built).parameters)
