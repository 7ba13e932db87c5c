"""Text that people write or type: names are kept, addresses and codes lose stray characters.

Only the tables in this file decide, because Python's own do not know younger emoji.
"""

import re
import unicodedata

MAX_MARKS = 30
"""Combining marks on one letter; their sorting costs the square of their number (UAX 15 §13)."""

BLANKS = (
    "\t\n\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u200b\u202f\u205f\u3000\ufeff"
)
"""The characters cut off the ends of a text, with the zero-width ones that clipboards add."""

_INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"
)
"""Default_Ignorable_Code_Point of Unicode, and the empty Braille cell."""

JOINERS = "\u200c\u200d"
"""Invisible, but part of the spelling in Persian, Sinhala and other scripts."""

_FORBIDDEN = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff"
"""Controls, overrides and isolates of text direction, and lone surrogates."""

_HYPHENS = "\\-\u2010-\u2015\u2212\u30fc\uff0d"
"""With the two that Japanese keyboards write among digits."""

_BLANK_TEXT = re.compile(f"[{BLANKS}{_INVISIBLE}]*")
_FORBIDDEN_IN_TEXT = re.compile(f"[{_FORBIDDEN}]")
_FORBIDDEN_IN_LINE = re.compile(f"[{_FORBIDDEN}\t\n\r\u2028\u2029]")
_INVISIBLE_MARK = re.compile(f"[{_INVISIBLE}]")
_DIAL_PUNCTUATION = re.compile(f"[{BLANKS}{_INVISIBLE}{_HYPHENS}()\uff08\uff09\\[\\].]")
_CODE_PUNCTUATION = re.compile(f"[{BLANKS}{_INVISIBLE}{_HYPHENS}]")
_UNCOUNTED_MARKS = "\u0f73\u0f75\u0f81"
"""Tibetan vowel signs: each is a pair of marks although its own combining class is 0."""


def is_blank(text: str) -> bool:
    """Return whether the text has no visible character."""
    return _BLANK_TEXT.fullmatch(text) is not None


def clean_line(text: str) -> str:
    """Return a name or a title in NFC without blanks at its ends; "" for an invisible one.

    Raises:
        ValueError: it holds a control, a line break or a mark that reverses text.
    """
    return _compose(text, _FORBIDDEN_IN_LINE)


def clean_lines(text: str) -> str:
    """Return a text of several lines in NFC without blanks at its ends; "" for an invisible one.

    Raises:
        ValueError: it holds a control or a mark that reverses text.
    """
    return _compose(text, _FORBIDDEN_IN_TEXT)


def to_single_line(text: str) -> str:
    """Return a short text as one line in NFC, with blanks for what `clean_line` refuses."""
    return unicodedata.normalize("NFC", _FORBIDDEN_IN_LINE.sub(" ", text).strip(BLANKS))


def clean_search(text: str) -> str | None:
    """Return a search as one line, None for an invisible one."""
    return None if is_blank(text) else to_single_line(text)


def strip_typed(text: str, keep: str = "") -> str:
    """Return an address or a username without blanks at its ends, and without invisible marks.

    `keep`: the marks that stay, but for those at the ends.
    """
    without = _INVISIBLE_MARK.sub(lambda mark: mark[0] if mark[0] in keep else "", text)
    return without.strip(BLANKS + keep)


def strip_number(text: str) -> str:
    """Return a phone number without blanks, invisible marks, brackets, dots and hyphens."""
    return _DIAL_PUNCTUATION.sub("", text)


def strip_code(text: str) -> str:
    """Return a code without blanks, invisible marks and hyphens."""
    return _CODE_PUNCTUATION.sub("", text)


def _compose(text: str, refused: re.Pattern[str]) -> str:
    trimmed = text.strip(BLANKS)
    if refused.search(trimmed):
        raise ValueError("controls, line breaks and marks that reverse text are not allowed")
    if _has_many_marks(trimmed):
        raise ValueError(f"at most {MAX_MARKS} marks on one letter")
    return "" if is_blank(trimmed) else unicodedata.normalize("NFC", trimmed)


def _has_many_marks(text: str) -> bool:
    """Return whether a letter has more marks than any language writes."""
    run = 0
    for char in "" if text.isascii() else text:
        marked = unicodedata.combining(char) or char in _UNCOUNTED_MARKS
        run = run + 1 if marked else 0
        if run > MAX_MARKS:
            return True
    return False
