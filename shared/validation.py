"""Untrusted values into models, and what is wrong with them in our own words."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from shared.errors import FieldError, ValidationFailed

MOST_ERRORS = 50
MOST_PATH_CHARACTERS = 64  # unknown fields are named by whoever sent them
M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")


def not_null(value: T | None) -> T:
    """Return a value that may be left out but not be null."""
    if value is None:
        message = "must not be null"
        raise ValueError(message)
    return value


def validate(model: type[M], value: object, known: object = None) -> M:
    """Return `value` as `model`; its validators find what is `known` here as their context.

    Raises:
        ValidationFailed: names every wrong field; never repeats what was given.
    """
    try:
        return model.model_validate(value, context=known)
    except ValidationError as wrong:
        raise ValidationFailed(field_errors(wrong)) from None


def field_errors(wrong: ValidationError) -> list[FieldError]:
    """Return what is wrong with each field, by its dotted path; nothing of what was given."""
    errors = wrong.errors(include_url=False, include_input=False, include_context=False)
    return [
        FieldError(
            _path(error["loc"]) or "body",
            error["type"],
            error["msg"].removeprefix("Value error, "),
        )
        for error in errors[:MOST_ERRORS]
    ]


def _path(location: tuple[int | str, ...]) -> str:
    return ".".join(map(str, location))[:MOST_PATH_CHARACTERS]
