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
# Nobody may sign in as it, and who has not signed in may do nothing. But until redis/redis#14541
# (and valkey-io/valkey#3983) was mended, the append-only file is read as this user, and what it
# may not do in a transaction is left out: whatever scripts have written, if that was more than
# one write.
DEFAULT = "default off ~* &* +@all"
PROBE = "probe on nopass resetchannels -@all +ping"  # for a health check


def users(hashes: dict[str, list[str]]) -> list[str]:
    """Return the ACL's line of each service, which may sign in by any of its passwords."""
    return [f"{name} on {' '.join(hashes[name])} {rights}" for name, rights in RIGHTS.items()]


def hashed(password: str) -> str:
    """Return a password as an ACL line takes it, so that the line itself is no secret."""
    return f"#{hashlib.sha256(password.encode()).hexdigest()}"
