"""Versions as entity tags: a change names the version that it changes. RFC 9110 §13.1.1."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from shared.errors import PreconditionRequired, VersionMismatch

IF_MATCH = "If-Match"
Id = TypeVar("Id")
_TAG = re.compile(r'("?)([0-9]{1,9})\1')
_CODING = re.compile(r'-(?:gzip|br|zstd|deflate)("?)\Z')


@dataclass(frozen=True, slots=True)
class IfMatch:
    """The versions that a client's change accepts; None accepts any (`*`)."""

    versions: frozenset[int] | None

    @property
    def version_list(self) -> list[int] | None:
        """Return the versions as an SQL argument: null accepts any."""
        return None if self.versions is None else sorted(self.versions)

    def check(self, version: int) -> None:
        """Accept an expected version.

        Raises:
            VersionMismatch: it is another one.
        """
        if self.versions is not None and version not in self.versions:
            raise VersionMismatch(version)


@dataclass(frozen=True, slots=True)
class OwnVersion(Generic[Id]):
    """A user's own item at an expected version: the target of a conditional change."""

    id: Id
    user_id: UUID
    expected: IfMatch


def version_tag(version: int) -> str:
    """Return the version as a strong entity tag."""
    return f'"{version}"'


def _uncompressed_tag(tag: str) -> str:
    """Return a client's tag without the changes of compressing proxies.

    nginx weakens a tag; Apache appends the name of the coding.
    """
    return _CODING.sub(r"\1", tag.strip().removeprefix("W/"))


def matches_etag(headers: Sequence[str], etag: str) -> bool:
    """Return whether the headers, If-Match or If-None-Match, list the ETag.

    Proxies that compress change tags, so the comparison is always weak (§8.8.3.2).
    """
    given = [_uncompressed_tag(tag) for tag in ",".join(headers).split(",")]
    return "*" in given or etag in given


ANY_VERSION = IfMatch(None)


def read_if_match(headers: Sequence[str], *, required: bool = False) -> IfMatch:
    """Return the versions in the `If-Match` headers; without one, any version is accepted.

    A bare number is accepted too. A weak tag counts as a strong one, since it is a version. A
    foreign tag matches nothing.

    Raises:
        PreconditionRequired: there is none, though it is `required`.
    """
    tags = [tag.strip() for tag in ",".join(headers).split(",") if tag.strip()]
    if required and not tags:
        raise PreconditionRequired
    if not tags or "*" in tags:
        return ANY_VERSION
    found = [_TAG.fullmatch(_uncompressed_tag(tag)) for tag in tags]
    return IfMatch(frozenset(int(match[2]) for match in found if match))
