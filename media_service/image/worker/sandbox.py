"""The rights that a decoder gives up before its first picture, where the kernel can take them.

The layers overlap on purpose: where one is missing, the others still hold.
"""

from collections.abc import Callable

from media_service.image.worker.landlock import restrict_self
from media_service.image.worker.seccomp import install_filter
from shared.prctl import PR_SET_NO_NEW_PRIVS, prctl


def _set_no_new_privs() -> None:
    prctl(PR_SET_NO_NEW_PRIVS, 1)


SAFEGUARDS: dict[str, Callable[[], None]] = {
    "no_new_privs": _set_no_new_privs,
    "landlock": restrict_self,
    "seccomp": install_filter,
}
"""In this order: the filter forbids the calls that set the others up."""


def enter_sandbox() -> list[str]:
    """Keep only what is open and loaded; return the names of the safeguards that hold now."""
    return [name for name, take in SAFEGUARDS.items() if _apply(take)]


def _apply(take: Callable[[], None]) -> bool:
    try:
        take()
    except (OSError, LookupError):
        return False
    return True
