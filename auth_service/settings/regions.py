"""Regions of phone numbers, as settings name them."""

from phonenumbers import SUPPORTED_REGIONS

ANY_COUNTRY = "*"


def require_region(text: str) -> str:
    """Return a two-letter region of the phone numbers that we know.

    Raises:
        ValueError: it is none.
    """
    if text not in SUPPORTED_REGIONS:
        raise ValueError("expected a two-letter region such as IN")
    return text


def require_regions(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the regions, or `*` alone; raises likewise."""
    return words if words == (ANY_COUNTRY,) else tuple(require_region(word) for word in words)
