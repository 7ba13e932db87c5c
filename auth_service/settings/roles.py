"""The roles that there are."""

from typing import Annotated, Literal

from pydantic import BeforeValidator
from pydantic_settings import NoDecode

from shared.settings import split_list

Role = Literal["admin", "editor"]
Roles = Annotated[tuple[Role, ...], NoDecode, BeforeValidator(split_list)]
"""Comma-separated roles."""
