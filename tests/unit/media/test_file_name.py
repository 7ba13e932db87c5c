"""File names: shown safely, whatever was sent."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_service.image.model import EXTENSIONS
from media_service.upload.file_name import MAX_STEM, clean_file_name
from shared.text import clean_line


@pytest.mark.parametrize(
    ("given_name", "shown"),
    [
        ("photo.jpg", "photo.jpg"),
        ("photo.exe", "photo.jpg"),
        ("photo", "photo.jpg"),
        ("archive.tar.gz", "archive.tar.jpg"),
        ("../../etc/passwd", "passwd.jpg"),
        ("..\\..\\boot.ini", "boot.jpg"),
        ("..\\", "image.jpg"),
        ("C:\\fakepath\\me.png", "me.jpg"),
        ("a\r\nSet-Cookie: x=1.png", "a Set-Cookie_ x=1.jpg"),
        ('say "hi"; 100%.png', "say _hi__ 100_.jpg"),
        ("\u202egnp.exe", "gnp.jpg"),
        ("\ufffd\ufffd.png", "\ufffd\ufffd.jpg"),
        ("e\u0301te\u0301.png", "été.jpg"),
        (".htaccess", "image.jpg"),
        ("...", "image.jpg"),
        ("", "image.jpg"),
        (None, "image.jpg"),
        ("山田\N{IDEOGRAPHIC SPACE}太郎.png", "山田\N{IDEOGRAPHIC SPACE}太郎.jpg"),
        ("نگار\N{ZERO WIDTH NON-JOINER}نژاد.png", "نگار\N{ZERO WIDTH NON-JOINER}نژاد.jpg"),
        ("Shot 10.00\N{NARROW NO-BREAK SPACE}AM.png", "Shot 10.00\N{NARROW NO-BREAK SPACE}AM.jpg"),
        ("\U0001fae9.png", "\U0001fae9.jpg"),  # of Unicode 16, which Python 3.11 does not know
        ("\u200d \u2800.png", "image.jpg"),
        ("x" * 300 + ".png", "x" * MAX_STEM + ".jpg"),
    ],
)
def test_file_name_is_cleaned_and_gets_its_extension(given_name: str | None, shown: str) -> None:
    assert clean_file_name(given_name, "image/jpeg") == shown


@given(st.text(max_size=500), st.sampled_from(sorted(EXTENSIONS)))
def test_file_name_of_any_text_is_one_harmless_line(given_name: str, content_type: str) -> None:
    shown = clean_file_name(given_name, content_type)
    stem, _, extension = shown.rpartition(".")
    assert 1 <= len(stem) <= MAX_STEM
    assert extension == EXTENSIONS[content_type]
    assert not set('/\\"<>:|?*;%') & set(shown)
    assert clean_line(stem) == stem
    assert unicodedata.normalize("NFC", shown) == shown
    assert not stem.startswith(".")
    shown.encode()  # no lone surrogate


@given(st.text(max_size=80))
def test_file_name_cleaned_twice_is_unchanged(given_name: str) -> None:
    once = clean_file_name(given_name, "image/png")
    assert clean_file_name(once, "image/png") == once
