"""Versions as entity tags: a change says which version it is a change of. RFC 9110 §13.1.1."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from shared.errors import PreconditionRequired, VersionMismatch

IF_MATCH = "If-Match"
_TAG = re.compile(r'("?)([0-9]{1,9})\1')


@dataclass(frozen=True, slots=True)
class IfMatch:
    """The versions that a client's change may be made to; None is whichever there is (`*`)."""

    versions: frozenset[int] | None

    @property
    def listed(self) -> list[int] | None:
        """Return the versions as statements take them: null stands for whichever there is."""
        return None if self.versions is None else sorted(self.versions)

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


ANY_VERSION = IfMatch(None)


def read_if_match(headers: Sequence[str], *, required: bool = False) -> IfMatch:
    """Return what the `If-Match` headers say; without one, whichever version there is will do.

    A bare number is taken too. A weak tag, or one that is none of ours, matches nothing.

    Raises:
        PreconditionRequired: there is none, though it is `required`.
    """
    tags = [tag.strip() for tag in ",".join(headers).split(",") if tag.strip()]
    if required and not tags:
        raise PreconditionRequired
    if not tags or "*" in tags:
        return ANY_VERSION
    found = [_TAG.fullmatch(tag) for tag in tags]
    return IfMatch(frozenset(int(one[2]) for one in found if one))
