"""Every statement on `products` and `photos`."""

from dataclasses import astuple, fields
from datetime import datetime
from operator import attrgetter
from uuid import UUID

from media_service.picture.model import PictureRecord
from media_service.product.model import Product, ProductUpdate
from media_service.product.search_text import SearchTerms, index_text
from shared.db import Connection, Executor, Record, parameters
from shared.if_match import OwnVersion
from shared.paging import Position

_FIELDS = [field.name for field in fields(Product)]
COLUMNS = ", ".join(_FIELDS)

INSERT = f"""
INSERT INTO products ({COLUMNS}, folded, pieces)
VALUES ({parameters([*_FIELDS, "folded", "pieces"])})
ON CONFLICT (id) DO NOTHING RETURNING true
"""

FIND = f"SELECT {COLUMNS} FROM products WHERE id = $1 AND (visibility = 'public' OR user_id = $2)"

_PAGE = f"""
SELECT {COLUMNS} FROM products
WHERE (created_at, id) < ($1, $2) AND {{}}
ORDER BY created_at DESC, id DESC
LIMIT $3
"""
PAGE_OF_PUBLIC = _PAGE.format("visibility = 'public'")
PAGE_OF_USER = _PAGE.format("user_id = $4")

_MATCHES = "folded LIKE ALL ($5::text[])"
SEARCH_PUBLIC = f"""
WITH newest AS MATERIALIZED (
    SELECT id, created_at
    FROM (
        SELECT id, created_at, folded FROM products
        WHERE visibility = 'public' AND (created_at, id) < ($1, $2)
        ORDER BY created_at DESC, id DESC
        LIMIT 5000
    ) AS latest
    WHERE {_MATCHES}
    ORDER BY created_at DESC, id DESC
    LIMIT $3
), matching AS MATERIALIZED (
    SELECT id, created_at FROM products
    WHERE (SELECT count(*) FROM newest) < $3 AND visibility = 'public'
        AND pieces @> $4::text[] AND {_MATCHES}
), found AS (
    SELECT id, created_at FROM newest WHERE (SELECT count(*) FROM newest) >= $3
    UNION ALL
    SELECT id, created_at FROM matching WHERE (created_at, id) < ($1, $2)
    ORDER BY created_at DESC, id DESC
    LIMIT $3
)
SELECT {COLUMNS} FROM products WHERE id = ANY (ARRAY(SELECT id FROM found))
ORDER BY created_at DESC, id DESC
"""
"""Products with all the patterns of `SearchTerms`.

A frequent word fills the page from the newest rows. For any other word the query uses the index of
pieces, without order and position, so that the planner cannot scan all rows instead. A word that
is too rare to fill a page from the newest has a few thousand rows among a million.
"""

FIND_UNFOLDED = """
SELECT id, name, description FROM products WHERE pieces IS NULL ORDER BY id LIMIT $1
FOR UPDATE SKIP LOCKED
"""

FOLD = """
UPDATE products SET folded = $2, pieces = $3
WHERE id = $1 AND (name, description) = ($4, $5) AND pieces IS NULL
"""

UPDATE = f"""
UPDATE products
SET name = coalesce($4, name), description = coalesce($5, description),
    price = coalesce($6, price), currency = coalesce($7, currency),
    visibility = coalesce($8, visibility), updated_at = $9, version = version + 1
WHERE id = $1 AND user_id = $2 AND ($3::int[] IS NULL OR version = ANY ($3))
RETURNING {COLUMNS}
"""

DELETE = f"""
DELETE FROM products
WHERE id = $1 AND user_id = $2 AND ($3::int[] IS NULL OR version = ANY ($3))
RETURNING {COLUMNS}
"""

DELETE_BATCH = """
DELETE FROM products WHERE id IN (SELECT id FROM products WHERE user_id = $1 LIMIT $2)
"""

_PHOTO_FIELDS = [field.name for field in fields(PictureRecord)]
INSERT_PHOTO = f"""
INSERT INTO photos ({", ".join(_PHOTO_FIELDS)}) VALUES ({parameters(_PHOTO_FIELDS)})
"""

FIND_PHOTO = """
SELECT photos.* FROM products JOIN photos ON photos.id = products.photo_id
WHERE products.id = $1 AND (products.visibility = 'public' OR products.user_id = $2)
"""

LOCK_PRODUCT = "SELECT photo_id FROM products WHERE id = $1 AND user_id = $2 FOR UPDATE"

DETACH_PHOTO = "UPDATE products SET photo_id = NULL WHERE id = $1"

DETACH_LOST_PHOTO = f"""
UPDATE products SET photo_id = NULL, updated_at = now(), version = version + 1
WHERE photo_id = $1
RETURNING {COLUMNS}
"""

DELETE_PHOTO = "DELETE FROM photos WHERE id = $1"

DELETE_PHOTO_BATCH = """
DELETE FROM photos WHERE id IN (SELECT id FROM photos WHERE user_id = $1 LIMIT $2)
"""

ATTACH_PHOTO = f"""
UPDATE products SET photo_id = $2, updated_at = $3, version = version + 1
WHERE id = $1
RETURNING {COLUMNS}
"""


async def insert(connection: Connection, product: Product) -> bool:
    """Write a new row; return False when its id is taken."""
    text = index_text(product.name, product.description)
    values = attrgetter(*_FIELDS)(product)
    return await connection.fetchval(INSERT, *values, text.folded, text.pieces) is not None


async def find(executor: Executor, product_id: str, viewer: UUID | None) -> Product | None:
    """Return the product if the viewer may see it; None is anonymous."""
    row = await executor.fetchrow(FIND, product_id, viewer)
    return _product(row) if row else None


async def page_of_user(
    executor: Executor, user_id: UUID, position: Position[str], limit: int
) -> list[Product]:
    """Return the user's products before a position, the newest first."""
    rows = await executor.fetch(PAGE_OF_USER, position.moment, position.id, limit, user_id)
    return [_product(row) for row in rows]


async def page_of_public(
    executor: Executor, terms: SearchTerms | None, position: Position[str], limit: int
) -> list[Product]:
    """Return all visible products, or those with all the words, the newest first."""
    if terms is None:
        rows = await executor.fetch(PAGE_OF_PUBLIC, position.moment, position.id, limit)
    else:
        sought = (terms.pieces, terms.patterns)
        rows = await executor.fetch(SEARCH_PUBLIC, position.moment, position.id, limit, *sought)
    return [_product(row) for row in rows]


async def update(
    executor: Executor,
    target: OwnVersion[str],
    update: ProductUpdate,
    now: datetime,
) -> Product | None:
    """Change the user's product; return None when there is none with an expected version."""
    versions = target.expected.version_list
    row = await executor.fetchrow(
        UPDATE, target.id, target.user_id, versions, *astuple(update), now
    )
    return _product(row) if row else None


async def fold(executor: Executor, product_id: str, name: str, description: str) -> None:
    """Let a search find the product by its words, unless they changed meanwhile."""
    text = index_text(name, description)
    await executor.execute(FOLD, product_id, text.folded, text.pieces, name, description)


async def fold_batch(connection: Connection, limit: int) -> int:
    """Fold products that have no words yet and that no other replica folds; return how many."""
    rows = await connection.fetch(FIND_UNFOLDED, limit)
    for row in rows:
        await fold(connection, row["id"], row["name"], row["description"])
    return len(rows)


async def delete(connection: Connection, target: OwnVersion[str]) -> Product | None:
    """Delete the user's product with an expected version, and its photo's row; return it as it was.

    None: there was none. Called in a transaction: a statement that had to wait for the product does
    not see the photo that it got meanwhile, the next one does.
    """
    row = await connection.fetchrow(DELETE, target.id, target.user_id, target.expected.version_list)
    if row is None:
        return None
    await connection.execute(DELETE_PHOTO, row["photo_id"])
    return _product(row)


async def insert_photo(connection: Connection, photo: PictureRecord) -> None:
    """Write a new row."""
    await connection.execute(INSERT_PHOTO, *attrgetter(*_PHOTO_FIELDS)(photo))


async def find_photo(
    executor: Executor, product_id: str, viewer: UUID | None
) -> PictureRecord | None:
    """Return the product's photo if the viewer may see it; None is anonymous."""
    row = await executor.fetchrow(FIND_PHOTO, product_id, viewer)
    return PictureRecord(**dict(row) | {"variants": tuple(row["variants"])}) if row else None


async def detach_photo(connection: Connection, product_id: str, user_id: UUID) -> bool:
    """Lock the user's product and remove its photo's row; return False when there is no product.

    The product's row is locked before any other of its user's, here as when it is deleted.
    """
    row = await connection.fetchrow(LOCK_PRODUCT, product_id, user_id)
    if row is None:
        return False
    await connection.execute(DETACH_PHOTO, product_id)
    await connection.execute(DELETE_PHOTO, row["photo_id"])
    return True


async def detach_lost_photo(connection: Connection, photo_id: UUID) -> Product | None:
    """Return the product that had this photo, as it is without one; None if no product had it."""
    row = await connection.fetchrow(DETACH_LOST_PHOTO, photo_id)
    return _product(row) if row else None


async def attach_photo(connection: Connection, product_id: str, photo: PictureRecord) -> Product:
    """Insert the photo of a product that the transaction has locked."""
    await insert_photo(connection, photo)
    row = await connection.fetchrow(ATTACH_PHOTO, product_id, photo.id, photo.created_at)
    if row is None:  # pragma: no cover - it is locked
        raise LookupError(product_id)
    return _product(row)


def _product(row: Record) -> Product:
    return Product(**dict(row))
