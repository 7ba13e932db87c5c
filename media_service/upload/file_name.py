"""File names of clients, made safe."""

import re

from media_service.image.model import EXTENSIONS
from shared.text import BLANKS, is_blank, to_single_line

MAX_STEM = 100
DEFAULT_STEM = "image"
_REPLACEMENTS = str.maketrans(dict.fromkeys('<>:"|?*;%', "_"))
_ENDS = f"{BLANKS}."
_RUN_OF_BLANKS = re.compile(" {2,}")


def clean_file_name(given: str | None, content_type: str) -> str:
    """Return a name that is safe to show and to save under, with the extension that is true.

    The characters of a person's name stay. No directory, control or character that reverses text,
    nor what a shell, a header or Windows reads otherwise; at most `MAX_STEM` characters before the
    extension.
    """
    last = (given or "").replace("\\", "/").rsplit("/", 1)[-1]
    visible = to_single_line(last[: MAX_STEM * 4])
    stem, dot, _ = visible.rpartition(".")
    words = _RUN_OF_BLANKS.sub(" ", (stem if dot else visible).translate(_REPLACEMENTS))
    shown = words.strip(_ENDS)[:MAX_STEM].strip(_ENDS)
    return f"{DEFAULT_STEM if is_blank(shown) else shown}.{EXTENSIONS[content_type]}"
