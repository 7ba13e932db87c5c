"""How a product's words are folded and indexed, and how a search asks for them.

PostgreSQL needs no extension: what it indexes are short pieces of words, made here.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

_ACCENTS = re.compile("[\u0300-\u036f]")
"""Combining marks of Latin, Greek and Cyrillic letters; others, as Thai vowels, are no accents."""
_UNDECOMPOSED = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "\u0131": "i", "æ": "ae", "œ": "oe"})
"""Letters that Unicode does not take apart; the fourth is a dotless i."""

_WORD_CATEGORIES = frozenset("LMN")
_PIECE = 3
_IDEOGRAMS = re.compile("[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]{2}")
"""Two characters of Chinese or Japanese, which are a word more often than not."""


@dataclass(frozen=True, slots=True)
class SearchText:
    """What is stored beside a product: its folded words, each after a blank, and their pieces."""

    folded: str
    pieces: list[str]


@dataclass(frozen=True, slots=True)
class SearchTerms:
    """What a product must have: all the pieces, by the index, and then all the patterns of LIKE."""

    pieces: list[str]
    patterns: list[str]


def index_text(name: str, description: str) -> SearchText:
    """Return what a search finds of a product."""
    words = _words(f"{name} {description}")
    return SearchText("".join(f" {word}" for word in words), _distinct(map(_stored_pieces, words)))


def search_terms(text: str) -> SearchTerms | None:
    """Return what a search for the text asks; None when it has no word.

    A word of one or two letters is the beginning of a word; a longer one is anywhere in a word.
    """
    words = dict.fromkeys(_words(text))
    sought = [word if _is_sought_inside(word) else f" {word}" for word in words]
    if not sought:
        return None
    return SearchTerms(_distinct(map(_sought_pieces, sought)), [f"%{one}%" for one in sought])


def _words(text: str) -> list[str]:
    """Return the words, folded: without case, accents and compatibility forms."""
    parts = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    folded = unicodedata.normalize("NFC", _ACCENTS.sub("", parts).translate(_UNDECOMPOSED))
    kept = (one if unicodedata.category(one)[0] in _WORD_CATEGORIES else " " for one in folded)
    return "".join(kept).split()


def _is_sought_inside(word: str) -> bool:
    return len(word) >= _PIECE or _IDEOGRAMS.fullmatch(word) is not None


def _stored_pieces(word: str) -> list[str]:
    started = f" {word}"
    pairs = [word[at : at + 2] for at in range(len(word) - 1)]
    return [
        started[:2],
        *_triples(started),
        *(pair for pair in pairs if _IDEOGRAMS.fullmatch(pair)),
    ]


def _sought_pieces(sought: str) -> list[str]:
    return _triples(sought) or [sought]


def _triples(text: str) -> list[str]:
    return [text[at : at + _PIECE] for at in range(len(text) - _PIECE + 1)]


def _distinct(pieces: Iterable[list[str]]) -> list[str]:
    return list(dict.fromkeys(piece for group in pieces for piece in group))
