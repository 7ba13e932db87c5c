"""Weak secrets: those whose text alone shows that it is not random.

No measure proves that a secret is strong. This one refuses what people type and what documents
show, and lets through 32 characters of any generator, hexadecimal ones included.
"""

import re
from collections.abc import Mapping, Sequence

from pydantic import SecretStr

MIN_BYTES = 32
MIN_DISTINCT_BYTES = 10
PIECE_BYTES = 4
MIN_DISTINCT_PIECES = 0.75
"""Share of the pieces that differ; in 32 random hexadecimal digits hardly two are alike."""
MIN_OTHER_BYTES = 16
"""Bytes besides words and sequences; a random text has few of those."""
SHORTEST_SEQUENCE = 4
ADVICE = "expected 32 or more random bytes, as `openssl rand -base64 48` makes"
EXAMPLES = frozenset(
    [
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",  # Standard Webhooks
        "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",  # FastAPI's tutorial
        "your-256-bit-secret-your-256-bit-secret",  # tokens' debugger
    ]
)
_WORDS = re.compile(
    r"admin|changeme|change|cheershare|default|development|do-not-use|example|for|insecure|key|"
    r"letmein|only|password|passwd|please|production|replace|secret|signing|test|token|your|"
    r"qwertyuiop|qwerty|asdfghjkl|asdfgh|zxcvbnm",
    re.IGNORECASE,
)


def require_length(secret: SecretStr) -> SecretStr:
    """Refuse what is too short for a secret anywhere, in development too.

    Raises:
        ValueError: fewer bytes, or fewer different ones, than anything random has.
    """
    raw = secret.get_secret_value().encode()
    if len(raw) < MIN_BYTES or len(set(raw)) < MIN_DISTINCT_BYTES:
        raise ValueError(ADVICE)
    return secret


def find_weakness(secret: str) -> str | None:
    """Return what is wrong with a secret, None when nothing is. The secret is never quoted."""
    raw = secret.encode()
    if len(raw) < MIN_BYTES:
        return f"shorter than {MIN_BYTES} bytes"
    if len(set(raw)) < MIN_DISTINCT_BYTES:
        return f"fewer than {MIN_DISTINCT_BYTES} different bytes"
    if secret in EXAMPLES:
        return "an example that documents print"
    pieces = [raw[start : start + PIECE_BYTES] for start in range(len(raw) - PIECE_BYTES + 1)]
    if len(set(pieces)) < MIN_DISTINCT_PIECES * len(pieces):
        return "a pattern that repeats itself"
    if len(_without_sequences(_WORDS.sub("", secret).encode())) < MIN_OTHER_BYTES:
        return "little but well-known words and sequences"
    return None


def _without_sequences(raw: bytes) -> bytes:
    """Take out each run of bytes that rises or falls by one, as `abcd` and `4321` do."""
    kept, run = bytearray(), bytearray()
    for byte in raw:
        goes_on = not run or (
            byte - run[-1] == run[-1] - run[-2] if len(run) > 1 else abs(byte - run[-1]) == 1
        )
        if not goes_on:
            kept += run if len(run) < SHORTEST_SEQUENCE else b""
            run.clear()
        run.append(byte)
    return bytes(kept + (run if len(run) < SHORTEST_SEQUENCE else b""))


def find_weaknesses(secrets: Mapping[str, Sequence[str]]) -> list[str]:
    """Return a line for each setting whose list holds a weak secret."""
    found = []
    for name, listed in secrets.items():
        reasons = {reason for secret in listed if (reason := find_weakness(secret))}
        if reasons:
            found.append(f"{name}: {', '.join(sorted(reasons))}; {ADVICE}")
    return found


def find_reuse(secrets: Mapping[str, Sequence[str]]) -> list[str]:
    """Return a line for each secret that stands in more than one place: it would do two jobs."""
    holders: dict[str, list[str]] = {}
    for name, listed in secrets.items():
        for secret in listed:
            holders.setdefault(secret, []).append(name)
    repeated = sorted({tuple(names) for names in holders.values() if len(names) > 1})
    return [
        f"{' and '.join(dict.fromkeys(names))}: the same secret more than once; "
        "expected a different one in each place"
        for names in repeated
    ]
