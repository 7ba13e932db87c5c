"""Warnings about settings when a process starts; none of them stops it."""

from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches

import structlog

from shared.settings import ServiceSettings

PREFIXES = ("ARGON2_", "LIMIT_CHANGES_", "LIMIT_", "OTP_", "SMS_", "SMTP_", "TWILIO_")
"""Prefixes of our own settings; other programs use other ones.

The first match counts: `LIMIT_CHANGES_` is media_service's, `LIMIT_` is auth_service's."""
FILE_SUFFIX = "_FILE"
CHARACTERS_PER_TYPO = 5
log = structlog.get_logger()


def log_warnings(settings: ServiceSettings, environment: Mapping[str, str]) -> None:
    """Log settings that production would refuse, and variables that look like misspelt settings."""
    for problem in settings.find_weaknesses():
        log.warning("setting.refused_in_production", problem=problem)
    known = [name.upper() for name in type(settings).model_fields]
    given = [name for name, value in environment.items() if value]
    for name, nearest in find_misspelt(given, known).items():
        log.warning("setting.unknown", setting=name, nearest=nearest)


def find_misspelt(given: Iterable[str], known: Collection[str]) -> dict[str, str]:
    """Return each given name that is nearly a known one, with the known one.

    Names of other programs, which fill an environment, are left alone.
    """
    found = {}
    accepted = {*known, *(name + FILE_SUFFIX for name in known)}
    for name in given:
        text = name.upper()
        base = text.removesuffix(FILE_SUFFIX)
        if text not in accepted and (nearest := _find_nearest(base, known)):
            found[name] = nearest + text[len(base) :]
    return found


def _find_nearest(name: str, known: Collection[str]) -> str | None:
    prefix = _find_prefix(name)
    if prefix and (
        related := [candidate for candidate in known if _find_prefix(candidate) == prefix]
    ):
        return get_close_matches(name, related, n=1, cutoff=0)[0]
    for close in get_close_matches(name, known, n=3):
        if _edit_distance(name, close) <= len(close) // CHARACTERS_PER_TYPO:
            return close
    return None


def _find_prefix(name: str) -> str | None:
    return next((prefix for prefix in PREFIXES if name.startswith(prefix)), None)


def _edit_distance(left: str, right: str) -> int:
    """Return how many characters are added, dropped or replaced. Source: Levenshtein, 1965."""
    row = list(range(len(right) + 1))
    for place, character in enumerate(left, 1):
        before, row = row, [place]
        for index, other in enumerate(right, 1):
            changed = before[index - 1] + (character != other)
            row.append(min(before[index] + 1, row[-1] + 1, changed))
    return row[-1]
