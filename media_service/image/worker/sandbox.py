"""The sandbox that a decoder enters before its first picture, as far as the kernel supports it.

The layers overlap on purpose: where one is missing, the others still hold.
"""

from collections.abc import Callable

from media_service.image.worker.landlock import restrict_self
from media_service.image.worker.seccomp import install_filter
from shared.prctl import PR_SET_NO_NEW_PRIVS, prctl

SAFEGUARDS: dict[str, Callable[[], None]] = {
    "no_new_privs": lambda: prctl(PR_SET_NO_NEW_PRIVS, 1),
    "landlock": restrict_self,
    "seccomp": install_filter,
}
"""In this order: the filter forbids the calls that set the others up."""


def enter_sandbox() -> list[str]:
    """Keep only what is open and loaded; return the names of the safeguards that hold now."""
    return [name for name, install in SAFEGUARDS.items() if _apply(install)]


def _apply(install: Callable[[], None]) -> bool:
    try:
        install()
    except (OSError, LookupError):
        return False
    return True
