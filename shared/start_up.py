"""What an operator is told when a process starts, though nothing of it keeps it from starting."""

from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches

import structlog

from shared.settings import ServiceSettings

PREFIXES = ("ARGON2_", "LIMIT_CHANGES_", "LIMIT_", "OTP_", "SMS_", "SMTP_", "TWILIO_")
"""Names that begin so are meant for a service that has such settings; other programs use others.

The first that fits counts, so that one service's limits are not taken for the other's."""
FILE = "_FILE"
CHARACTERS_PER_TYPO = 5
log = structlog.get_logger()


def log_warnings(settings: ServiceSettings, environment: Mapping[str, str]) -> None:
    """Log what production would refuse, and which variables look like misspelt settings."""
    for problem in settings.weaknesses():
        log.warning("setting.refused_in_production", problem=problem)
    known = [name.upper() for name in type(settings).model_fields]
    given = [name for name, value in environment.items() if value]
    for name, nearest in find_misspelt(given, known).items():
        log.warning("setting.unknown", setting=name, nearest=nearest)


def find_misspelt(given: Iterable[str], known: Collection[str]) -> dict[str, str]:
    """Return each given name that is nearly a known one, with the known one.

    Other names are other programs' business: an environment is full of them.
    """
    found = {}
    accepted = {*known, *(name + FILE for name in known)}
    for name in given:
        text = name.upper()
        base = text.removesuffix(FILE)
        if text not in accepted and (nearest := _nearest(base, known)):
            found[name] = nearest + text[len(base) :]
    return found


def _nearest(name: str, known: Collection[str]) -> str | None:
    prefix = _find_prefix(name)
    if prefix and (related := [one for one in known if _find_prefix(one) == prefix]):
        return get_close_matches(name, related, n=1, cutoff=0)[0]
    for close in get_close_matches(name, known, n=3):
        if _distance(name, close) <= len(close) // CHARACTERS_PER_TYPO:
            return close
    return None


def _find_prefix(name: str) -> str | None:
    return next((prefix for prefix in PREFIXES if name.startswith(prefix)), None)


def _distance(left: str, right: str) -> int:
    """Return how many characters are added, dropped or replaced. Source: Levenshtein, 1965."""
    row = list(range(len(right) + 1))
    for place, character in enumerate(left, 1):
        before, row = row, [place]
        for index, other in enumerate(right, 1):
            changed = before[index - 1] + (character != other)
            row.append(min(before[index] + 1, row[-1] + 1, changed))
    return row[-1]
