"""Untrusted values into models, and what is wrong with them in our own words."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from shared.errors import FieldError, ValidationFailed

M = TypeVar("M", bound=BaseModel)


def validate(model: type[M], value: object) -> M:
    """Return `value` as `model`.

    Raises:
        ValidationFailed: names every wrong field; never repeats what was given.
    """
    try:
        return model.model_validate(value)
    except ValidationError as wrong:
        raise ValidationFailed(field_errors(wrong)) from None


def field_errors(wrong: ValidationError) -> list[FieldError]:
    """Return what is wrong with each field, by its dotted path; nothing of what was given."""
    return [
        FieldError(".".join(map(str, error["loc"])) or "body", error["type"], error["msg"])
        for error in wrong.errors(include_url=False, include_input=False, include_context=False)
    ]
