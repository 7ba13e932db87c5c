"""The fields of a product in responses and events."""

from dataclasses import asdict
from typing import Any

from media_service.picture.schemas import PREFIX
from media_service.product.model import Product


def product_url(product_id: str) -> str:
    """Return a product's own path."""
    return f"{PREFIX}/products/{product_id}"


def product_fields(product: Product) -> dict[str, Any]:
    """Return a product's fields."""
    fields = asdict(product)
    photo_url = f"{product_url(product.id)}/photo" if fields.pop("photo_id") else None
    return fields | {"photo_url": photo_url}
