"""What each service may do in Redis, and send to it, the same in every deployment."""

import hashlib

# auth_service writes what media_service reads, and keeps challenges, limits and deliveries.
AUTH_ACL = "~* &* +@all -@admin -@dangerous +info"
MEDIA_ACL = (
    "resetchannels &revocations "
    "%R~revocations:log %R~revocations:deleted %R~revocations:head "
    "-@all +hello +ping +client|setinfo +subscribe +unsubscribe +xrange +xread +hgetall "
    "(-@all +publish resetchannels &revocations:applied)"
)
LIMITS = {"proto-max-bulk-len": "1mb", "client-query-buffer-limit": "16mb"}
"""Every subscriber receives what another one publishes: by default up to 512 MB. No value or script
of ours takes 100 KB, and no command 1 MB (`auth_service/revocation/stream_rebuild.py`)."""
ACL_RULES = {"auth": AUTH_ACL, "media": MEDIA_ACL}
# Nobody can sign in as `default`, and a client that has not signed in may do nothing. The user has
# all rights because Redis replays its append-only file as this user (redis/redis#14541,
# valkey-io/valkey#3983, fixed later). Without them it would drop each script with several writes.
DEFAULT_USER = "default off ~* &* +@all"
PROBE_USER = "probe on nopass resetchannels -@all +ping"  # for the health check


def acl_user_lines(hashes: dict[str, list[str]]) -> list[str]:
    """Return one ACL line for each service; each of its password hashes lets it sign in."""
    return [f"{name} on {' '.join(hashes[name])} {rights}" for name, rights in ACL_RULES.items()]


def acl_hash(password: str) -> str:
    """Return the password's SHA-256 in ACL form, so that the line holds no secret."""
    return f"#{hashlib.sha256(password.encode()).hexdigest()}"
