"""The search columns of a product stay in proportion to its text."""

import pytest

from media_service.product.model import MAX_DESCRIPTION, MAX_NAME
from media_service.product.search_text import MAX_FOLDED, index_text, search_terms

WIDEST = "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}"
"""One character that folds into eighteen."""


def test_index_text_of_widening_characters_is_bounded() -> None:
    found = index_text(WIDEST * MAX_NAME, f"{WIDEST} " * (MAX_DESCRIPTION // 2))
    assert len(found.folded) <= 2 * MAX_FOLDED  # each word has a blank before it


@pytest.mark.parametrize("letter", ["a", "ß", "각", "ệ", "東", "ﬁ", "\N{GREEK SMALL LETTER ALPHA}"])
def test_index_text_of_the_longest_texts_keeps_their_last_word(letter: str) -> None:
    description = letter * (MAX_DESCRIPTION - 5) + " lamp"
    assert index_text(letter * MAX_NAME, description).folded.endswith(" lamp")


def test_index_text_of_one_wide_character_is_found_by_it() -> None:
    terms = search_terms(WIDEST)
    assert terms
    found = index_text(f"Book {WIDEST}", "")
    assert all(pattern.strip("%") in found.folded for pattern in terms.patterns)
