"""Products."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from shared.entropy import Entropy
from shared.paging import Position

MAX_NAME = 200
MAX_DESCRIPTION = 4000
MAX_PRICE = 2**53 - 1
ID_PATTERN = "^PR-[0-9A-HJKMNP-TV-Z]{12}$"
_ID = re.compile(ID_PATTERN.rstrip("$"))
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_DIGITS = 12

Visibility = Literal["public", "hidden"]


@dataclass(frozen=True, slots=True)
class ProductDetails:
    """The client's fields of a product; compared when the request is sent again.

    `price` is in the currency's smallest unit.
    """

    name: str
    description: str
    price: int
    currency: str
    visibility: Visibility


@dataclass(frozen=True, slots=True)
class Product(ProductDetails):
    """A row of `products`; times are in UTC."""

    id: str
    user_id: UUID
    photo_id: UUID | None
    created_at: datetime
    updated_at: datetime
    version: int

    def cursor(self) -> str:
        """Return the place in lists, which are by age, the newest first."""
        return Position(self.created_at, self.id).cursor()


@dataclass(frozen=True, slots=True)
class ProductDraft:
    """A product as its form describes it; `photo_file_name` is None without a photo."""

    details: ProductDetails
    photo_file_name: str | None


@dataclass(frozen=True, slots=True)
class ProductUpdate:
    """The changes to a product; None leaves a field as it is."""

    name: str | None = None
    description: str | None = None
    price: int | None = None
    currency: str | None = None
    visibility: Visibility | None = None


def new_product_id(entropy: Entropy) -> str:
    """Return `PR-` and 60 random bits in Crockford's base 32."""
    bits = int.from_bytes(entropy.bytes(8))
    digits = [_ALPHABET[bits >> 5 * place & 31] for place in range(_DIGITS)]
    return "PR-" + "".join(digits)


def parse_product_id(text: str) -> str:
    """Return the text when it is a product's id.

    Raises:
        ValueError: it is none.
    """
    if not _ID.fullmatch(text):
        raise ValueError("not a product's id")
    return text
