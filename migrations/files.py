"""Read and create migration files in dbmate's format."""

import hashlib
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

BLOCK_MARKER = re.compile(r"^--\s*migrate:(up|down)\b(.*)$", re.MULTILINE)
FILE_NAME = re.compile(r"(\d+)\w*\.sql")
TEMPLATE = "-- migrate:up\n\n\n-- migrate:down\n\n"


class MigrationError(Exception):
    """A migration cannot be read or applied; the message names it and the reason."""


@dataclass(frozen=True, slots=True)
class Block:
    """One direction of a migration."""

    sql: str
    in_transaction: bool


@dataclass(frozen=True, slots=True)
class Migration:
    """One file; `version` is the number at the start of its name, as in dbmate."""

    version: str
    name: str
    checksum: str
    up: Block
    down: Block


def read_folder(folder: Path) -> list[Migration]:
    """Return the folder's migrations in the order in which they apply.

    Raises:
        MigrationError: the folder is missing, a name has no number, two files have the same
            number, or a file is not in dbmate's format.
    """
    if not folder.is_dir():
        raise MigrationError(f"{folder} is not a directory")
    migrations = sorted(
        (read_migration(path) for path in folder.glob("*.sql")), key=lambda one: one.version
    )
    for previous, following in pairwise(migrations):
        if previous.version == following.version:
            raise MigrationError(f"{previous.name} and {following.name} have the same number")
    return migrations


def read_migration(path: Path) -> Migration:
    """Return the migration in a file.

    Raises:
        MigrationError: the name has no number, or the file is not in dbmate's format.
    """
    name_match = FILE_NAME.fullmatch(path.name)
    if name_match is None:
        raise MigrationError(f"{path.name}: the name must be a number, words, and .sql")
    content = path.read_text(encoding="utf-8")
    blocks = _blocks(path.name, content)
    return Migration(
        version=name_match[1],
        name=path.name,
        checksum=hashlib.sha256(content.encode()).hexdigest(),
        up=blocks["up"],
        down=blocks["down"],
    )


def create_migration(folder: Path, name: str) -> Path:
    """Write an empty migration with the next number and return its path.

    Raises:
        MigrationError: the name is not made of lower-case words joined by underscores.
    """
    if not re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", name):
        raise MigrationError(f"{name!r} is no name: lower-case words joined by underscores")
    last = max((int(one.version) for one in read_folder(folder)), default=0)
    path = folder / f"{last + 1:04}_{name}.sql"
    path.write_text(TEMPLATE, encoding="utf-8")
    return path


def _blocks(name: str, content: str) -> dict[str, Block]:
    markers = list(BLOCK_MARKER.finditer(content))
    if [marker[1] for marker in markers] != ["up", "down"]:
        raise MigrationError(
            f"{name}: needs one '-- migrate:up' and after it one '-- migrate:down'"
        )
    header = re.sub(r"^--.*$", "", content[: markers[0].start()], flags=re.MULTILINE)
    if header.strip():
        raise MigrationError(f"{name}: statements before '-- migrate:up' would never be run")
    ends = [markers[1].start(), len(content)]
    return {
        marker[1]: Block(content[marker.end() : end].strip(), _in_transaction(name, marker[2]))
        for marker, end in zip(markers, ends, strict=True)
    }


def _in_transaction(name: str, options: str) -> bool:
    unknown = set(options.split()) - {"transaction:true", "transaction:false"}
    if unknown:
        raise MigrationError(f"{name}: unknown option {min(unknown)}")
    return "transaction:false" not in options.split()
