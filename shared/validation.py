"""Untrusted values into models, and what is wrong with them in our own words."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from shared.errors import FieldError, ValidationFailed

MOST_ERRORS = 50
MOST_PATH_CHARACTERS = 64  # unknown fields are named by whoever sent them
_WORDS = {
    "missing": "required",
    "string_type": "expected a string",
    "model_type": "expected an object",
    **dict.fromkeys(["int_type", "int_parsing", "int_from_float"], "expected a whole number"),
    **dict.fromkeys(["uuid_type", "uuid_parsing"], "expected a UUID"),
}
_PATTERNS = {
    r"^[0-9]{6}$": "expected six digits",
    r"^[^\x00-\x1f\x7f]*$": "expected text without control characters",
}
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
        raise ValidationFailed(field_errors(wrong, model)) from None


def field_errors(wrong: ValidationError, model: type[BaseModel]) -> list[FieldError]:
    """Return what is wrong with each field, by its dotted path; nothing of what was given."""
    errors = wrong.errors(include_url=False, include_input=False)
    return [
        FieldError(_path(error["loc"]) or "body", error["type"], _message(error, model))
        for error in errors[:MOST_ERRORS]
    ]


def no_such_field(model: type[BaseModel]) -> str:
    """Return what is said of a field that `model` has not: which ones there are."""
    names = [field.alias or name for name, field in model.model_fields.items()]
    return f"no such field; there are: {', '.join(names) or 'none'}"


def _message(error: ErrorDetails, model: type[BaseModel]) -> str:
    if error["type"] == "extra_forbidden":
        return no_such_field(model) if len(error["loc"]) == 1 else "no such field"
    pattern = error.get("ctx", {}).get("pattern", "")
    ours = _WORDS.get(error["type"]) or _PATTERNS.get(pattern)
    return ours or error["msg"].removeprefix("Value error, ")


def _path(location: tuple[int | str, ...]) -> str:
    return ".".join(map(str, location))[:MOST_PATH_CHARACTERS]
