"""Docstrings and comments name only what exists: a rename leaves no old name behind."""

import builtins
import io
import re
import subprocess
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
QUOTED = re.compile(r"`+([A-Za-z_][\w.]*)(?:\([^`]*\))?`+")
WORD = re.compile(r"\w+")
FOREIGN = {
    "LISTEN", "NAME_FILE", "ProcessPoolExecutor", "Referer", "abcd", "decode_complete",
    "net", "core", "somaxconn", "uuidv7",
}  # fmt: skip
"""Names of other programs, and examples, that the code itself does not use."""

Prose = tuple[Path, int, str]


def _files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name]


def _read(path: Path, known: set[str], prose: list[Prose]) -> None:
    """Add a file's names to `known`, and its comments and strings with backquotes to `prose`."""
    known.update(WORD.findall(str(path.relative_to(ROOT))))
    if path.suffix != ".py":
        known.update(WORD.findall(path.read_text(errors="ignore")))
        return
    for token in tokenize.generate_tokens(io.StringIO(path.read_text()).readline):
        if token.type == tokenize.NAME:
            known.add(token.string)
        elif token.type == tokenize.COMMENT or "`" in token.string:
            prose.append((path, token.start[0], token.string))
        elif token.type == tokenize.STRING:
            known.update(WORD.findall(token.string))


def _unknown(text: str, known: set[str]) -> Iterator[tuple[int, str]]:
    for found in QUOTED.finditer(text):
        if not set(found[1].split(".")) <= known:
            yield text[: found.start()].count("\n"), found[1]


def test_comments_quote_existing_names_alone() -> None:
    known, prose = set(dir(builtins)) | FOREIGN, list[Prose]()
    for path in _files():
        if path.suffix not in {".md", ".png"}:
            _read(path, known, prose)
    wrong = [
        f"{path.relative_to(ROOT)}:{line + offset}: {name}"
        for path, line, text in prose
        for offset, name in _unknown(text, known)
    ]
    assert wrong == []
