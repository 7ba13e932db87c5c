"""Each fault of a field has one message everywhere; the codes are pydantic's."""

from typing import Any

import pytest
from pydantic import BaseModel

from auth_service.audit.schemas import EventQuery
from auth_service.login.schemas import LoginBody
from auth_service.registration.schemas import VerifyBody
from media_service.creative.schemas import UploadForm
from media_service.product.schemas import ProductBody
from shared.errors import FieldError, ValidationFailed
from shared.validation import validate

LAMP = {"name": "Lamp", "price": 1, "currency": "INR"}
USERS = {"mobile": "+919876543210", "otp": "123456"}


class Tree(BaseModel, extra="forbid"):
    """Something within something."""

    below: "Tree | None" = None


class Bare(BaseModel, extra="forbid"):
    """Nothing at all."""


def find_error(model: type[BaseModel], value: object) -> FieldError:
    with pytest.raises(ValidationFailed) as refused:
        validate(model, value)
    (only,) = refused.value.errors
    return only


@pytest.mark.parametrize(
    ("model", "value", "code", "message"),
    [
        (VerifyBody, {"mobile": "1"}, "missing", "required"),
        (VerifyBody, USERS | {"otp": 123456}, "string_type", "expected a string"),
        (VerifyBody, USERS | {"otp": "12345"}, "string_pattern_mismatch", "expected six digits"),
        (ProductBody, LAMP | {"price": "1"}, "int_type", "expected a whole number"),
        (ProductBody, LAMP | {"price": 1.5}, "int_type", "expected a whole number"),
        (EventQuery, {"limit": "ten"}, "int_parsing", "expected a whole number"),
        (EventQuery, {"user_id": "zebra"}, "uuid_parsing", "expected a UUID"),
        (
            ProductBody,
            LAMP | {"name": "a\nb"},
            "value_error",
            "controls, line breaks and marks that reverse text are not allowed",
        ),
        (
            ProductBody,
            LAMP | {"currency": "XYZ"},
            "value_error",
            "expected the code of a currency, ISO 4217, as INR",
        ),
        (ProductBody, [], "model_type", "expected an object"),
    ],
)
def test_validation_common_errors_have_our_messages(
    model: type[BaseModel], value: Any, code: str, message: str
) -> None:
    found = find_error(model, value)
    assert (found.code, found.message) == (code, message)


def test_validation_unknown_field_lists_the_known_ones() -> None:
    found = find_error(LoginBody, {"email": "a@b.co", "zebra": "1"})
    names = "email, username, password, otp, challenge"
    assert (found.field, found.code) == ("zebra", "extra_forbidden")
    assert found.message.startswith("no such field; there are: ")
    assert names in found.message
    assert find_error(EventQuery, {"since": "x"}).message.endswith("user_id, event, from, to")
    assert find_error(Bare, {"a": 1}).message == "no such field; there are: none"


@pytest.mark.parametrize(
    ("model", "value", "meant"),
    [
        (LoginBody, {"email": "a@b.co", "user_name": "1"}, "username"),
        (EventQuery, {"Limit": "1"}, "limit"),
        (EventQuery, {"form": "1"}, "from"),
        (ProductBody, LAMP | {"visiblity": "public"}, "visibility"),
    ],
)
def test_validation_unknown_field_names_the_nearest(
    model: type[BaseModel], value: Any, meant: str
) -> None:
    assert find_error(model, value).message.startswith(
        f"no such field; did you mean {meant}? there are"
    )


def test_validation_endless_field_name_is_compared_by_its_start() -> None:
    assert find_error(ProductBody, LAMP | {"n" * 60_000: 1}).message.startswith(
        "no such field; there"
    )


def test_validation_unknown_nested_field_lists_none() -> None:
    assert find_error(Tree, {"below": {"zebra": 1}}).message == "no such field"


def test_validation_form_without_a_field_reports_like_json() -> None:
    found = find_error(UploadForm, {"file": "a.png"})
    assert (found.field, found.message) == ("scheduled_at", "required")
