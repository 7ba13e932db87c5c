"""What each service may do in Redis: the lines of an ACL, the same in every way to run."""

import hashlib

# auth_service writes what media_service reads, and keeps challenges, limits and deliveries.
AUTH_ACL = "~* &* +@all -@admin -@dangerous +info"
MEDIA_ACL = (
    "resetchannels &revocations "
    "%R~revocations:log %R~revocations:deleted %R~revocations:head "
    "-@all +hello +ping +client|setinfo +subscribe +unsubscribe +xrange +xread +hgetall"
)
RIGHTS = {"auth": AUTH_ACL, "media": MEDIA_ACL}
PROBE = "probe on nopass resetchannels -@all +ping"  # for a health check


def users(passwords: dict[str, list[str]]) -> list[str]:
    """Return the ACL's line of each service, with whatever it may say; no line holds a password."""
    return [
        f"{name} on {' '.join(hashed(one) for one in passwords[name])} {rights}"
        for name, rights in RIGHTS.items()
    ]


def hashed(password: str) -> str:
    """Return a password as an ACL line takes it, so that the line itself is no secret."""
    return f"#{hashlib.sha256(password.encode()).hexdigest()}"
