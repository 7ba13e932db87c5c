"""ICC colour profiles: kept when whole, cut to their own length. Source: ICC.1:2022 §7.2."""

_HEADER_BYTES = 128
_SIGNATURE = slice(36, 40)
MAX_PROFILE_BYTES = 4 * 1024 * 1024


def valid_profile(data: bytes) -> bytes | None:
    """Return the profile without what follows it, None when it is not valid."""
    size = int.from_bytes(data[:4])
    if data[_SIGNATURE] != b"acsp" or not _HEADER_BYTES <= size <= len(data):
        return None
    return data[:size] if size <= MAX_PROFILE_BYTES else None
