"""Validation of untrusted values, with error messages of our own."""

from collections.abc import Callable
from difflib import get_close_matches
from functools import cache
from typing import Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator
from pydantic_core import ErrorDetails

from shared.errors import FieldError, ValidationFailed

MAX_ERRORS = 50
MAX_PATH_CHARACTERS = 64  # the client chooses the names of unknown fields
_MESSAGES = {
    "missing": "required",
    "string_type": "expected a string",
    "model_type": "expected an object",
    **dict.fromkeys(["int_type", "int_parsing", "int_from_float"], "expected a whole number"),
    **dict.fromkeys(["uuid_type", "uuid_parsing"], "expected a UUID"),
}
_PATTERN_MESSAGES = {r"^[0-9]{6}$": "expected six digits"}
M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")


class PartialUpdate(BaseModel):
    """The fields to change, at least one; base of the bodies of PATCH requests."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra={"minProperties": 1})

    @model_validator(mode="after")
    def _require_a_change(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("nothing is to change")
        return self


NULL_CLEARS = object()
"""Annotates a member whose null is a value: it clears the stored one."""

EMPTY_IS_VALUE = object()
"""Annotates a member whose empty text is a value; in other optional members it is null."""


def cleaned(clean: Callable[[str], object]) -> BeforeValidator:
    """Clean or parse a text before any other rule is applied; other values stay as they are."""

    def apply(value: object) -> object:
        return clean(value) if isinstance(value, str) else value

    return BeforeValidator(apply)


def refuse_duplicate_names(pairs: list[tuple[str, T]]) -> dict[str, T]:
    """Return a JSON object's members; parsers differ in which of two equal names they take."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("duplicate name")
    return members


def empty_to_null(model: type[BaseModel], value: object) -> object:
    """Return a body with null for each empty text in an optional member, as forms send it.

    Of a change only where null clears: otherwise the change would be ignored without a word.
    """
    if not isinstance(value, dict) or "" not in value.values():
        return value
    nullable = _optional_members(model, but=EMPTY_IS_VALUE)
    if issubclass(model, PartialUpdate):
        nullable -= _optional_members(model, but=NULL_CLEARS)
    return {name: None if one == "" and name in nullable else one for name, one in value.items()}


def validate(model: type[M], value: object, context: object = None) -> M:
    """Return `value` as `model`; the model's validators get `context`.

    Null is absence for each optional member without `NULL_CLEARS`, as many JSON writers send it.

    Raises:
        ValidationFailed: names every wrong field, never its value.
    """
    if isinstance(value, dict) and None in value.values():
        absent = _optional_members(model, but=NULL_CLEARS)
        value = {name: one for name, one in value.items() if one is not None or name not in absent}
    try:
        return model.model_validate(value, context=context)
    except ValidationError as wrong:
        raise ValidationFailed(field_errors(wrong, model)) from None


@cache
def _optional_members(model: type[BaseModel], *, but: object) -> frozenset[str]:
    return frozenset(
        field.alias or name
        for name, field in model.model_fields.items()
        if not (field.is_required() or but in field.metadata)
    )


def field_errors(wrong: ValidationError, model: type[BaseModel]) -> list[FieldError]:
    """Return an error for each wrong field, by its dotted path, without its value."""
    found = []
    for error in wrong.errors(include_url=False, include_input=False)[:MAX_ERRORS]:
        path = ".".join(map(str, error["loc"]))[:MAX_PATH_CHARACTERS]
        found.append(FieldError(path or "body", error["type"], _message(error, model)))
    return found


def field_names(model: type[BaseModel]) -> list[str]:
    """Return the names that clients write."""
    return [field.alias or name for name, field in model.model_fields.items()]


def unknown_field_message(model: type[BaseModel], name: str) -> str:
    """Return the message for the unknown field `name`: the nearest one of `model`, and all."""
    names = field_names(model)
    near = get_close_matches(name[:MAX_PATH_CHARACTERS].lower(), names, n=1)
    meant = f"; did you mean {near[0]}?" if near else ";"
    return f"no such field{meant} there are: {', '.join(names) or 'none'}"


def _message(error: ErrorDetails, model: type[BaseModel]) -> str:
    if error["type"] == "extra_forbidden":
        *above, name = error["loc"]
        return "no such field" if above else unknown_field_message(model, str(name))
    pattern = error.get("ctx", {}).get("pattern", "")
    ours = _MESSAGES.get(error["type"]) or _PATTERN_MESSAGES.get(pattern)
    return ours or error["msg"].removeprefix("Value error, ")
