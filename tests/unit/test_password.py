"""Which passwords are taken."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from auth_service.password.model import GivenPassword, NewPassword
from auth_service.password.policy import common_passwords, require_acceptable_password
from shared.errors import ValidationFailed

NEW: TypeAdapter[Any] = TypeAdapter(NewPassword)
GIVEN: TypeAdapter[Any] = TypeAdapter(GivenPassword)


@contextmanager
def refused_as(code: str) -> Iterator[None]:
    with pytest.raises(ValidationFailed) as refused:
        yield
    [error] = refused.value.errors
    assert (error.field, error.code) == ("new_password", code)


def test_common_passwords_are_packaged_with_their_licence() -> None:
    assert len(common_passwords()) == 10_000
    assert {"password", "12345678", "qwertyuiop", "password123"} <= common_passwords()
    licence = files("auth_service.password").joinpath("common.LICENSE.txt").read_text()
    assert licence.startswith("MIT License")


@pytest.mark.parametrize("common", ["password1", "PassWord1", "12345678", "iloveyou", "trustno1"])
def test_password_common_in_any_case_is_refused(common: str) -> None:
    with refused_as("password_common"):
        require_acceptable_password(common, field="new_password")


@pytest.mark.parametrize(
    ("username", "email", "password"),
    [
        ("asha", None, "my-ASHA-2026"),
        ("Asha.Rao", None, "xxasha.raoxx"),
        (None, "asha.rao@example.com", "1asha.rao1"),
        ("other", "Meera@example.com", "meera-at-home"),
    ],
)
def test_password_containing_a_name_is_refused(
    username: str | None, email: str | None, password: str
) -> None:
    with refused_as("password_like_name"):
        require_acceptable_password(password, field="new_password", username=username, email=email)


def test_password_neither_common_nor_a_name_is_accepted() -> None:
    require_acceptable_password(
        "correct horse", field="f", username="asha", email="a.rao@example.com"
    )
    require_acceptable_password(
        "example.com!!", field="f", email="asha@example.com"
    )  # the domain may be there
    require_acceptable_password(
        "a-long-one-al", field="f", username="al", email="al@example.com"
    )  # too short


@pytest.mark.parametrize(("length", "taken"), [(7, False), (8, True), (128, True), (129, False)])
def test_password_length_from_8_to_128_is_accepted(length: int, *, taken: bool) -> None:
    for letter in ("k", "ø", "😀"):
        if taken:
            assert NEW.validate_python(letter * length) == letter * length
        else:
            with pytest.raises(ValidationError):
                NEW.validate_python(letter * length)


def test_password_composed_and_decomposed_are_equal() -> None:
    decomposed, composed = "cafe\N{COMBINING ACUTE ACCENT} noir", "café noir"
    assert NEW.validate_python(decomposed) == GIVEN.validate_python(composed) == composed


def test_password_given_at_login_may_have_any_length_to_1000() -> None:
    assert GIVEN.validate_python("k") == "k"
    for nonsense in ("", "k" * 1001):
        with pytest.raises(ValidationError):
            GIVEN.validate_python(nonsense)


def test_password_length_counts_composed_characters() -> None:
    with pytest.raises(ValidationError):
        NEW.validate_python("e\u0301" * 4)
    assert NEW.validate_python("e\u0301" * 128) == "é" * 128
    assert NEW.json_schema() == {"type": "string", "minLength": 8, "maxLength": 128}


def test_password_endless_is_refused_before_normalization(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    composed: list[str] = []
    monkeypatch.setattr("auth_service.password.model.normalize_password", composed.append)
    with pytest.raises(ValidationError):
        NEW.validate_python("\N{COMBINING ACUTE ACCENT}" * 30_000)
    assert composed == []
