"""Names of files as they are shown; where a file is stored they say nothing."""

import unicodedata

from media_service.image.model import EXTENSIONS

MAX_STEM = 100
FALLBACK = "image"
_REPLACED = str.maketrans(dict.fromkeys('<>:"|?*;%', "_"))
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def clean_file_name(given: str | None, content_type: str) -> str:
    """Return a name that is safe to show and to save under, with the extension that is true.

    No directory, control or direction character, nor what a shell, a header or Windows reads
    otherwise; at most `MAX_STEM` characters before the extension.
    """
    last = (given or "").replace("\\", "/").rsplit("/", 1)[-1]
    visible = "".join(
        " " if unicodedata.category(char) in _UNSEEN else char
        for char in unicodedata.normalize("NFC", last[: MAX_STEM * 4])
    )
    stem, dot, _ = visible.rpartition(".")
    words = " ".join((stem if dot else visible).translate(_REPLACED).split())
    shown = words[:MAX_STEM].strip(" .") or FALLBACK
    return f"{shown}.{EXTENSIONS[content_type]}"
