"""A mutation: a small change of the code that switches one safeguard off."""

import tomllib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
MUTATIONS = ROOT / "tests/security/mutations"


class MutationError(Exception):
    """A mutation that does not fit the code."""


@dataclass(frozen=True, slots=True)
class Mutation:
    """Replaces `old` by `new` in the file at `path`; one of `tests` must fail then.

    `safeguard`: what is switched off. `old` occurs exactly once in the file, so that the mutation
    survives other changes of it.
    """

    name: str
    safeguard: str
    path: str
    old: str
    new: str
    tests: tuple[str, ...]

    @contextmanager
    def applied(self, root: Path) -> Iterator[None]:
        """Change the file below `root` for the block.

        Raises:
            MutationError: the file is missing, or does not hold `old` exactly once.
        """
        file = root / self.path
        if not file.is_file():
            raise MutationError(f"{self.path} does not exist")
        text = file.read_text()
        if (times := text.count(self.old)) != 1:
            raise MutationError(f"{self.path} holds the old text {times} times instead of once")
        file.write_text(text.replace(self.old, self.new))
        try:
            yield
        finally:
            file.write_text(text)


def read_mutations(folder: Path = MUTATIONS) -> list[Mutation]:
    """Return the mutations of every file in the folder, by file name and then as written.

    Raises:
        MutationError: a mutation lacks a field, has an unknown one, or has the name of another.
    """
    found: dict[str, Mutation] = {}
    for file in sorted(folder.glob("*.toml")):
        for name, fields in tomllib.loads(file.read_text()).items():
            if name in found:
                raise MutationError(f"{file.name}: {name} is defined twice")
            found[name] = _mutation(name, fields)
    return list(found.values())


def _mutation(name: str, fields: dict[str, Any]) -> Mutation:
    try:
        return Mutation(name, **fields | {"tests": tuple(fields["tests"])})
    except (KeyError, TypeError) as wrong:
        raise MutationError(f"{name}: {wrong}") from wrong


def select_mutations(mutations: Sequence[Mutation], patterns: Iterable[str]) -> list[Mutation]:
    """Return the mutations whose name matches a pattern, such as `token-*`; all without patterns.

    Raises:
        MutationError: a pattern matches none.
    """
    wanted = list(patterns)
    for pattern in wanted:
        if not any(fnmatchcase(one.name, pattern) for one in mutations):
            raise MutationError(f"no mutation is called {pattern}")
    return [
        one
        for one in mutations
        if not wanted or any(fnmatchcase(one.name, pattern) for pattern in wanted)
    ]
