"""One module writes each table. Other modules compose the SQL that the owner exports."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
PACKAGES = ("auth_service", "media_service", "shared", "migrations", "deploy")
OWNERS = {
    "audit_events": "auth_service/audit/repository.py",
    "counted_pictures": "media_service/quota/repository.py",
    "creatives": "media_service/creative/repository.py",
    "due_days": "media_service/creative/repository.py",
    "events": "shared/webhooks/event/repository.py",
    "factors": "auth_service/factor/repository.py",
    "feeds": "media_service/feed/repository.py",
    "followed_streams": "media_service/erasure/repository.py",
    "idempotency_keys": "media_service/idempotency/repository.py",
    "owners": "media_service/quota/repository.py",
    "passkeys": "auth_service/passkey/repository.py",
    "photos": "media_service/product/repository.py",
    "products": "media_service/product/repository.py",
    "publications": "media_service/publishing/repository.py",
    "recovery_codes": "auth_service/factor/recovery/repository.py",
    "remembered_devices": "auth_service/device/repository.py",
    "removals": "media_service/picture/repository.py",
    "revocations": "auth_service/revocation/repository.py",
    "schema_checksums": "migrations/run.py",
    "schema_migrations": "migrations/run.py",
    "sessions": "auth_service/session/repository.py",
    "tokens": "auth_service/token/repository.py",
    "users": "auth_service/user/repository.py",
    "webhook_deliveries": "shared/webhooks/delivery/repository.py",
    "webhook_endpoints": "shared/webhooks/endpoint/repository.py",
}
NOT_SPELLED_OUT = ""
CREATE = re.compile(r"CREATE TABLE (?:IF NOT EXISTS )?(?:public\.)?(\w+)")
# `FOR UPDATE`, `FOR NO KEY UPDATE`, `DO UPDATE` and `ON UPDATE` write no table of their own.
WRITE = re.compile(
    r"\b(?:INSERT\s+INTO|DELETE\s+FROM|MERGE\s+INTO|TRUNCATE(?:\s+TABLE)?|COPY"
    r"|(?<!\bFOR\s)(?<!\bKEY\s)(?<!\bDO\s)(?<!\bON\s)UPDATE)"
    r"\s+(?:ONLY\s+)?(?:public\s*\.\s*)?\"?(\w+|\{|\Z)",
    re.IGNORECASE,
)


def writes(source: str) -> Iterator[tuple[int, str]]:
    """Yield line and table of each write in the source's own texts, f-strings included.

    A composed statement holds its owner's text only when the program runs, so it does not count.
    """
    tree = ast.parse(source)
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            for match in WRITE.finditer(node.value):
                table = match[1].strip("{").lower()
                if table in OWNERS or table == NOT_SPELLED_OUT:
                    yield node.lineno, table


def foreign_writes(path: str, source: str) -> list[str]:
    """Return the writes by a module that does not own their table, and those that hide theirs."""
    return [
        f"{path}:{line} writes {table or 'a table that the text does not name'}"
        for line, table in writes(source)
        if OWNERS.get(table) != path
    ]


def test_tables_all_have_an_owner() -> None:
    paths = [*(CHECKOUT / "migrations").rglob("*.sql"), CHECKOUT / "migrations/run.py"]
    assert {table for path in paths for table in CREATE.findall(path.read_text())} == set(OWNERS)


def test_tables_are_written_by_their_owners_alone() -> None:
    paths = [path for package in PACKAGES for path in (CHECKOUT / package).rglob("*.py")]
    sources = {str(path.relative_to(CHECKOUT)): path.read_text() for path in paths}
    written = {table for path in set(OWNERS.values()) for _, table in writes(sources[path])}
    assert written == set(OWNERS)
    assert [place for path in sources for place in foreign_writes(path, sources[path])] == []


@pytest.mark.parametrize(
    "source",
    [
        'REMOVE = "DELETE FROM removals WHERE creative_id = $1"',
        'REMOVE = "delete  from only public.removals"',
        'CHANGE = "WITH x AS (\\nUPDATE removals r SET due_at = $1) SELECT 1"',
        'ADD = f"INSERT INTO removals ({COLUMNS}) VALUES ($1)"',
        'REMOVE = {"all": ("TRUNCATE removals",)}',
        'REMOVE = f"DELETE FROM {table} WHERE id = $1"',
        'REMOVE = "DELETE FROM {} WHERE id = $1".format(table)',
        'CHANGE = "UPDATE " + table + " SET due_at = $1"',
        "async def remove(connection):\n    await connection.execute('DELETE FROM removals')",
    ],
)
def test_write_of_a_foreign_table_is_found(source: str) -> None:
    assert foreign_writes("media_service/product/repository.py", source) != []


@pytest.mark.parametrize(
    "source",
    [
        'LOCK = "SELECT 1 FROM removals WHERE due_at < $1 FOR NO KEY UPDATE"',
        'CLAIM = "SELECT 1 FROM removals FOR UPDATE SKIP LOCKED"',
        'REMOVE = f"WITH gone AS ({DELETE_REMOVAL}) SELECT 1 FROM gone"',
        '"""DELETE FROM removals is what the other module says."""',
    ],
)
def test_read_or_composed_write_of_a_foreign_table_is_allowed(source: str) -> None:
    assert foreign_writes("media_service/product/repository.py", source) == []
