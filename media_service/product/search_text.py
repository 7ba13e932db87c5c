"""The folding and indexing of a product's words, and the terms of a search for them.

PostgreSQL indexes short pieces of words, which are made here, so that it needs no extension.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from media_service.product.model import MAX_DESCRIPTION, MAX_NAME

MAX_FOLDED = 2 * (MAX_NAME + MAX_DESCRIPTION)
"""The most characters of a text that are found: one that widens more is made to slow searches."""

_ACCENTS = re.compile("[\u0300-\u036f]")
"""Combining marks of Latin, Greek and Cyrillic letters; others, as Thai vowels, are no accents."""
_UNDECOMPOSED = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "\u0131": "i", "æ": "ae", "œ": "oe"})
"""Letters that Unicode does not take apart; the fourth is a dotless i."""

_WORD_CATEGORIES = frozenset("LMN")
_TRIGRAM_LENGTH = 3
_IDEOGRAMS = re.compile("[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]{2}")
"""Two characters of Chinese or Japanese, which are a word more often than not."""


@dataclass(frozen=True, slots=True)
class SearchText:
    """The search columns of a product: its folded words, each after a blank, and their pieces."""

    folded: str
    pieces: list[str]


@dataclass(frozen=True, slots=True)
class SearchTerms:
    """A search: a product must have all pieces, by the index, and match all patterns of LIKE."""

    pieces: list[str]
    patterns: list[str]


def index_text(name: str, description: str) -> SearchText:
    """Return the search columns of a product."""
    words = _words(f"{name} {description}")
    return SearchText("".join(f" {word}" for word in words), _distinct(map(_word_pieces, words)))


def search_terms(text: str) -> SearchTerms | None:
    """Return the terms of a search for the text; None when it has no word.

    A term of one or two letters matches the beginning of a word, a longer one any part of it.
    """
    words = dict.fromkeys(_words(text))
    terms = [word if _matches_inside_words(word) else f" {word}" for word in words]
    if not terms:
        return None
    return SearchTerms(_distinct(map(_term_pieces, terms)), [f"%{term}%" for term in terms])


def _words(text: str) -> list[str]:
    """Return the words, folded: without case, accents and compatibility forms."""
    parts = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    folded = unicodedata.normalize("NFC", _ACCENTS.sub("", parts).translate(_UNDECOMPOSED))
    within = folded[:MAX_FOLDED]
    kept = (one if unicodedata.category(one)[0] in _WORD_CATEGORIES else " " for one in within)
    return "".join(kept).split()


def _matches_inside_words(word: str) -> bool:
    return len(word) >= _TRIGRAM_LENGTH or _IDEOGRAMS.fullmatch(word) is not None


def _word_pieces(word: str) -> list[str]:
    started = f" {word}"
    pairs = [word[at : at + 2] for at in range(len(word) - 1)]
    return [
        started[:2],
        *_trigrams(started),
        *(pair for pair in pairs if _IDEOGRAMS.fullmatch(pair)),
    ]


def _term_pieces(term: str) -> list[str]:
    return _trigrams(term) or [term]


def _trigrams(text: str) -> list[str]:
    return [text[at : at + _TRIGRAM_LENGTH] for at in range(len(text) - _TRIGRAM_LENGTH + 1)]


def _distinct(pieces: Iterable[list[str]]) -> list[str]:
    return list(dict.fromkeys(piece for group in pieces for piece in group))
