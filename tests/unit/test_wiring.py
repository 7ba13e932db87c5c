"""Each part of the composition root gets parts of the types that it names."""

from functools import cached_property
from inspect import signature
from typing import Any, get_type_hints

import pytest

from auth_service.wiring import Part, Wiring

PARTS = {name: part for name, part in vars(Wiring).items() if isinstance(part, Part)}


def type_of(name: str) -> Any:
    part = vars(Wiring).get(name)
    if isinstance(part, Part):
        return part.built
    if isinstance(part, cached_property):
        return get_type_hints(part.func)["return"]
    return get_type_hints(Wiring)[name]


@pytest.mark.parametrize("name", PARTS)
def test_part_parameters_have_types_of_parts_with_their_names(name: str) -> None:
    built = PARTS[name].built
    wanted = get_type_hints(built) | get_type_hints(built.__init__)
    for parameter in signature(built).parameters:
        assert type_of(parameter) == wanted[parameter]


@pytest.mark.parametrize("name", PARTS)
def test_part_names_at_most_7_collaborators(name: str) -> None:
    assert len(signature(PARTS[name].built).parameters) <= 7
