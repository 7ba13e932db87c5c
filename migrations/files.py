"""Migration files in dbmate's format: what is in them and what they are called."""

import hashlib
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

BLOCK = re.compile(r"^--\s*migrate:(up|down)\b(.*)$", re.MULTILINE)
FILE_NAME = re.compile(r"(\d+)\w*\.sql")
TEMPLATE = "-- migrate:up\n\n\n-- migrate:down\n\n"


class MigrationError(Exception):
    """A migration cannot be read or applied; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Block:
    """One direction of a migration."""

    sql: str
    transaction: bool


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: `version` is the number that its name starts with, as dbmate has it."""

    version: str
    name: str
    checksum: str
    up: Block
    down: Block


def read_folder(folder: Path) -> list[Migration]:
    """Return the folder's migrations in the order in which they apply.

    Raises:
        MigrationError: there is no such folder, a name has no number, two have the same, or a
            file is not in dbmate's format.
    """
    if not folder.is_dir():
        message = f"{folder} is not a directory"
        raise MigrationError(message)
    found = sorted((read(path) for path in folder.glob("*.sql")), key=lambda one: one.version)
    for before, after in pairwise(found):
        if before.version == after.version:
            message = f"{before.name} and {after.name} have the same number"
            raise MigrationError(message)
    return found


def read(path: Path) -> Migration:
    """Return what a file holds.

    Raises:
        MigrationError: its name has no number, or it is not in dbmate's format.
    """
    named = FILE_NAME.fullmatch(path.name)
    if named is None:
        message = f"{path.name}: the name must be a number, words, and .sql"
        raise MigrationError(message)
    content = path.read_text(encoding="utf-8")
    blocks = _blocks(path.name, content)
    return Migration(
        version=named[1],
        name=path.name,
        checksum=hashlib.sha256(content.encode()).hexdigest(),
        up=blocks["up"],
        down=blocks["down"],
    )


def create(folder: Path, name: str) -> Path:
    """Write an empty migration with the next number and return its path.

    Raises:
        MigrationError: the name is not made of lower-case words joined by underscores.
    """
    if not re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", name):
        message = f"{name!r} is no name: lower-case words joined by underscores"
        raise MigrationError(message)
    last = max((int(one.version) for one in read_folder(folder)), default=0)
    path = folder / f"{last + 1:04}_{name}.sql"
    path.write_text(TEMPLATE, encoding="utf-8")
    return path


def _blocks(name: str, content: str) -> dict[str, Block]:
    marks = list(BLOCK.finditer(content))
    if [mark[1] for mark in marks] != ["up", "down"]:
        message = f"{name}: needs one '-- migrate:up' and after it one '-- migrate:down'"
        raise MigrationError(message)
    before = re.sub(r"^--.*$", "", content[: marks[0].start()], flags=re.MULTILINE)
    if before.strip():
        message = f"{name}: statements before '-- migrate:up' would never be run"
        raise MigrationError(message)
    ends = [marks[1].start(), len(content)]
    return {
        mark[1]: Block(content[mark.end() : end].strip(), _in_transaction(name, mark[2]))
        for mark, end in zip(marks, ends, strict=True)
    }


def _in_transaction(name: str, options: str) -> bool:
    unknown = set(options.split()) - {"transaction:true", "transaction:false"}
    if unknown:
        message = f"{name}: unknown option {min(unknown)}"
        raise MigrationError(message)
    return "transaction:false" not in options.split()
