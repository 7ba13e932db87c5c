"""Versions as entity tags: a change says which version it is a change of. RFC 9110 §13.1.1."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from shared.errors import PreconditionRequired, VersionMismatch

IF_MATCH = "If-Match"
_TAG = re.compile(r'("?)([0-9]{1,9})\1')


@dataclass(frozen=True, slots=True)
class Expected:
    """The versions that a client's change may be made to; None is whichever there is (`*`)."""

    versions: frozenset[int] | None

    def check(self, version: int) -> None:
        """Accept a version that is expected.

        Raises:
            VersionMismatch: it is another one.
        """
        if self.versions is not None and version not in self.versions:
            raise VersionMismatch


def version_tag(version: int) -> str:
    """Return the version as a strong entity tag."""
    return f'"{version}"'


def read_expected(headers: Sequence[str]) -> Expected | None:
    """Return what the `If-Match` headers say, None without one.

    A bare number is taken too. A weak tag, or one that is none of ours, matches nothing.
    """
    tags = [tag.strip() for tag in ",".join(headers).split(",") if tag.strip()]
    if not tags:
        return None
    if "*" in tags:
        return Expected(None)
    found = [_TAG.fullmatch(tag) for tag in tags]
    return Expected(frozenset(int(one[2]) for one in found if one))


def read_versions(headers: Sequence[str]) -> frozenset[int] | None:
    """Return the versions that the headers name, None when any will do."""
    expected = read_expected(headers)
    return expected.versions if expected else None


def require_expected(headers: Sequence[str]) -> Expected:
    """Return what the `If-Match` headers say.

    Raises:
        PreconditionRequired: there is none.
    """
    expected = read_expected(headers)
    if expected is None:
        raise PreconditionRequired
    return expected
