"""The type of a test's own connection."""

from typing import TYPE_CHECKING, TypeAlias

import asyncpg

if TYPE_CHECKING:  # generic in its stubs alone
    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record]
else:
    Connection = asyncpg.Connection
