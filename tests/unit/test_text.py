"""Names come back as they were written; addresses and codes lose what keyboards add."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.text import (
    BLANKS,
    MAX_MARKS,
    clean_line,
    clean_lines,
    is_blank,
    strip_code,
    strip_number,
    strip_typed,
    to_single_line,
)
from tests.support.names import NAMES

CONTROLS = [chr(code) for code in (*range(0x20), *range(0x7F, 0xA0))]
BREAKS = ["\N{LINE SEPARATOR}", "\N{PARAGRAPH SEPARATOR}"]
REVERSING = [chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))]
SURROGATES = ["\ud800", "\udbff", "\udc00", "\udfff"]
BLANK = ["", " ", "\u00a0", "\u200c", "\u200d\u200c", "\u3000\u200b\ufeff", "\u2800", "\u3164"]
SHOWN = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"])).filter(
    lambda text: not set(REVERSING) & set(text)
)


@pytest.mark.parametrize("name", NAMES)
def test_clean_line_ordinary_name_is_unchanged(name: str) -> None:
    assert clean_line(name) == clean_lines(name) == name
    assert clean_line(f" \u3000{name}\ufeff\n") == name


@given(SHOWN)
def test_clean_line_of_any_visible_text_is_stripped_nfc(text: str) -> None:
    kept = unicodedata.normalize("NFC", text.strip(BLANKS))
    assert clean_line(text) == clean_lines(text) == ("" if is_blank(text) else kept)


@given(SHOWN)
def test_clean_line_twice_is_unchanged(text: str) -> None:
    assert clean_line(clean_line(text)) == clean_line(text)


@pytest.mark.parametrize("char", [*CONTROLS, *BREAKS, *REVERSING, *SURROGATES], ids=ascii)
def test_clean_line_with_control_or_reversing_character_is_refused(char: str) -> None:
    with pytest.raises(ValueError, match="controls, line breaks and marks that reverse text"):
        clean_line(f"Asha{char}Rao")
    assert to_single_line(f"Asha{char}Rao") == "Asha Rao"


@pytest.mark.parametrize("char", ["\t", "\n", "\r", *BREAKS], ids=ascii)
def test_clean_lines_keeps_line_breaks(char: str) -> None:
    assert clean_lines(f"one{char}two ") == f"one{char}two"


@pytest.mark.parametrize(
    "char", [*sorted(set(CONTROLS) - set("\t\n\r")), *REVERSING, *SURROGATES], ids=ascii
)
def test_clean_lines_with_other_control_character_is_refused(char: str) -> None:
    with pytest.raises(ValueError, match="not allowed"):
        clean_lines(f"one{char}two")


@pytest.mark.parametrize("text", BLANK, ids=ascii)
def test_clean_line_of_invisible_text_is_empty(text: str) -> None:
    assert is_blank(text)
    assert clean_line(text) == clean_lines(text) == ""


@pytest.mark.parametrize("mark", ["\u0301", "\u0316\u0301", "\u0f73", "\u0344"], ids=ascii)
def test_clean_line_with_too_many_marks_is_refused(mark: str) -> None:
    assert clean_line("a" + (mark * MAX_MARKS)[:MAX_MARKS])
    with pytest.raises(ValueError, match="at most 30 marks on one letter"):
        clean_line("a" + mark * 10_000)


@pytest.mark.parametrize(
    "typed",
    [
        "asha@example.com ",
        "\tasha@example.com\n",
        "\u202aasha@example.com\u202c",
        "asha@\u200bexample.com",
        "\ufeffasha@exam\u00adple.com\u00a0",
    ],
    ids=ascii,
)
def test_strip_typed_removes_what_clipboards_add(typed: str) -> None:
    assert strip_typed(typed) == "asha@example.com"


@pytest.mark.parametrize(
    "typed",
    [
        "(98708) 53295",
        "98708\u00a053295",
        "\u202a98708 53295\u202c",
        "98708\u201153295",
        " 98708.532-95\n",
    ],
    ids=ascii,
)
def test_strip_number_removes_what_dialling_ignores(typed: str) -> None:
    assert strip_number(typed) == "9870853295"


@pytest.mark.parametrize(
    "typed",
    ["123 456", "123-456", "\u2066123456\u2069\n", "1 2 3\u00a04\u20095\u30006", "123\u2013456"],
    ids=ascii,
)
def test_strip_code_removes_blanks_and_hyphens(typed: str) -> None:
    assert strip_code(typed) == "123456"


@given(st.text())
def test_strip_functions_keep_other_characters(text: str) -> None:
    for strip in (strip_typed, strip_number, strip_code):
        assert strip(f"<{text}>").startswith("<")
        assert "".join(c for c in strip(text) if c.isalnum()) == "".join(
            c for c in text if c.isalnum() and not is_blank(c)
        )
