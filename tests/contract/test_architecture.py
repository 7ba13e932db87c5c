"""Rules of the code's shape that no linter knows."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
PACKAGES = ("auth_service", "media_service", "shared", "migrations", "deploy", "docs", "tests")
SERVICES = ("auth_service", "media_service", "shared")
MAX_FILE, MAX_FUNCTION, MAX_HANDLER = 300, 50, 15
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "manager", "managers", "common", "misc"}
PROBES = {"SELECT 1", "SELECT clock_timestamp()"}  # asks whether anybody answers, and no table
SQL = re.compile(
    r"\s*(--.*\n\s*)*(SELECT\s|INSERT\s+INTO\s|UPDATE\s+\w+\s+SET\s|DELETE\s+FROM\s|WITH\s+\w+\s+AS\s"
    r"|(CREATE|ALTER|DROP)\s+(TABLE|INDEX|DATABASE|TYPE|ROLE|SCHEMA)\s|TRUNCATE\s|LOCK\s+TABLE\s)",
    re.IGNORECASE,
)


def sources(packages: tuple[str, ...]) -> list[Path]:
    return sorted(path for package in packages for path in (CHECKOUT / package).rglob("*.py"))


def named(path: Path) -> str:
    return str(path.relative_to(CHECKOUT))


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Its lines from `def` to its end, without its docstring."""
    lines = (function.end_lineno or 0) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) is not None and len(function.body) > 1:
        lines -= (first.end_lineno or 0) - first.lineno + 1
    return lines


def handlers(tree: ast.AST) -> Iterator[ast.AsyncFunctionDef]:
    """Functions that take a request: what is mounted, and what helps it."""
    for function in functions(tree):
        if isinstance(function, ast.AsyncFunctionDef) and function.decorator_list:
            yield function


def texts(tree: ast.AST) -> Iterator[ast.Constant]:
    """String constants that are no docstrings, also inside f-strings."""
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node


def statements(path: Path) -> list[str]:
    found = [node for node in texts(ast.parse(path.read_text())) if SQL.match(str(node.value))]
    return [f"{named(path)}:{node.lineno}" for node in found if node.value not in PROBES]


def test_sql_outside_of_repositories_is_absent() -> None:
    in_repositories = [path for path in sources(SERVICES) if path.name == "repository.py"]
    elsewhere = [path for path in sources(SERVICES) if path.name != "repository.py"]
    assert sum(len(statements(path)) for path in in_repositories) >= 10  # it sees what there is
    assert [place for path in elsewhere for place in statements(path)] == []


@pytest.mark.parametrize(
    ("text", "is_sql"),
    [
        ("SELECT 1", True),
        ("\n  -- why\n  select id from users", True),
        ("UPDATE users SET name = $1", True),
        ("WITH dead AS (SELECT 1)", True),
        ("Select a picture", True),  # better one too many
        ("selected", False),
        ("update", False),
        ("with care", False),
        ("delete this", False),
    ],
)
def test_sql_pattern_recognises_statements_alone(text: str, *, is_sql: bool) -> None:
    assert bool(SQL.match(text)) is is_sql


def test_handlers_have_at_most_15_lines() -> None:
    routes = [path for path in sources(SERVICES) if path.name == "routes.py"]
    found = {
        f"{named(path)}:{handler.name}": length(handler)
        for path in routes
        for handler in handlers(ast.parse(path.read_text()))
    }
    assert len(found) >= 10
    assert {name: lines for name, lines in found.items() if lines > MAX_HANDLER} == {}


def test_functions_have_at_most_50_lines() -> None:
    long = {
        f"{named(path)}:{function.name}": length(function)
        for path in sources(PACKAGES)
        for function in functions(ast.parse(path.read_text()))
        if length(function) > MAX_FUNCTION
    }
    assert long == {}


def test_functions_are_never_excused_from_five_parameters() -> None:
    """Ruff counts them; the fields of a service are its collaborators, see `test_wiring.py`."""
    excused = [named(path) for path in sources(SERVICES) if "PLR0913" in path.read_text()]
    assert excused == []


def test_files_have_at_most_300_lines() -> None:
    counted = {named(path): len(path.read_text().splitlines()) for path in sources(PACKAGES)}
    assert len(counted) > 50
    assert {name: lines for name, lines in counted.items() if lines > MAX_FILE} == {}


def test_module_names_say_what_they_hold() -> None:
    everything = [path.stem for path in sources(PACKAGES)]
    everything += [path.parent.name for path in sources(PACKAGES)]
    assert {name.lower() for name in everything} & FORBIDDEN_NAMES == set()


def test_feature_files_import_aiohttp_in_routes_alone() -> None:
    """aiohttp is imported where HTTP is spoken, never by a use case."""
    forbidden = {"service.py", "repository.py", "model.py", "errors.py", "schemas.py"}
    guilty = [
        named(path)
        for path in sources(("auth_service", "media_service"))
        if path.name in forbidden
        and re.search(r"^\s*(import|from) aiohttp", path.read_text(), re.MULTILINE)
    ]
    assert guilty == []
