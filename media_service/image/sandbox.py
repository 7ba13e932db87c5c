"""What a decoder gives up before it sees a picture, as far as the kernel can take it away.

The layers overlap on purpose: where one is missing, the others still hold.
"""

from collections.abc import Callable

from media_service.image.landlock import renounce
from media_service.image.seccomp import install_filter
from shared.prctl import PR_SET_NO_NEW_PRIVS, prctl


def _forgo_privileges() -> None:
    prctl(PR_SET_NO_NEW_PRIVS, 1)


SAFEGUARDS: dict[str, Callable[[], None]] = {
    "no_new_privs": _forgo_privileges,
    "landlock": renounce,
    "seccomp": install_filter,
}
"""In the order in which they are taken: the filter ends what the others need to be set up."""


def enter_sandbox() -> list[str]:
    """Keep only what is open and loaded; return the names of the safeguards that hold now."""
    return [name for name, take in SAFEGUARDS.items() if _holds(take)]


def _holds(take: Callable[[], None]) -> bool:
    try:
        take()
    except (OSError, LookupError):
        return False
    return True
