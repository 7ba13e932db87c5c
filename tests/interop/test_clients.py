"""Real clients sign up, upload, are refused in mid-upload, refresh, idle and sign out.

Each is a small program in `clients`, in its own language. It sends what `walk` tells it to, always
with the same client, and prints what it saw. A client whose tools are not installed is skipped,
except in CI. One that cannot be built fails.
"""

import pytest

from tests.interop.programs import PROGRAMS, SOURCES
from tests.interop.walk import STEPS, Walk

SCRIPTS = {".py", ".mjs", ".java"}
SHARED = {"steps", "Steps"}


def test_every_client_program_is_in_the_table() -> None:
    programs = {path.stem for path in SOURCES.glob("*/*") if path.suffix in SCRIPTS} - SHARED
    compiled = {program.name for program in PROGRAMS.values() if program.language in {"go", "rust"}}
    assert programs | compiled == {program.name for program in PROGRAMS.values()}
    assert {path.name for path in SOURCES.iterdir()} == {one.language for one in PROGRAMS.values()}


@pytest.mark.parametrize("name", PROGRAMS)
def test_client_walks_from_sign_up_to_sign_out(name: str, walks: dict[str, Walk]) -> None:
    walk = walks[name]
    if walk.fault:
        pytest.fail(walk.fault, pytrace=False)
    if walk.missing:
        pytest.skip(walk.missing)
    assert walk.statuses == STEPS
