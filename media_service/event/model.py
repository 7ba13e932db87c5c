"""Events: what happened to creatives and products."""

from typing import Literal

EventType = Literal[
    "creative.created",
    "creative.updated",
    "creative.cancelled",
    "creative.due",
    "creative.failed",
    "product.created",
    "product.updated",
    "product.deleted",
]
