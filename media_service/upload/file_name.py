"""File names of clients, made safe."""

import unicodedata

from media_service.image.model import EXTENSIONS

MAX_STEM = 100
DEFAULT_STEM = "image"
_REPLACEMENTS = str.maketrans(dict.fromkeys('<>:"|?*;%', "_"))
_INVISIBLE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def clean_file_name(given: str | None, content_type: str) -> str:
    """Return a name that is safe to show and to save under, with the extension that is true.

    No directory, control or direction character, nor what a shell, a header or Windows reads
    otherwise; at most `MAX_STEM` characters before the extension.
    """
    last = (given or "").replace("\\", "/").rsplit("/", 1)[-1]
    visible = "".join(
        " " if unicodedata.category(char) in _INVISIBLE_CATEGORIES else char
        for char in unicodedata.normalize("NFC", last[: MAX_STEM * 4])
    )
    stem, dot, _ = visible.rpartition(".")
    words = " ".join((stem if dot else visible).translate(_REPLACEMENTS).split())
    shown = words[:MAX_STEM].strip(" .") or DEFAULT_STEM
    return f"{shown}.{EXTENSIONS[content_type]}"
