"""Each part of a composition root gets parts of the types that it names."""

from functools import cached_property
from inspect import getattr_static, signature
from typing import Any, get_type_hints

import pytest

from auth_service.wiring import Wiring as AuthWiring
from media_service.wiring import Wiring as MediaWiring
from shared.parts import Part

WIRINGS: tuple[type[Any], ...] = (AuthWiring, MediaWiring)
PARTS = [
    pytest.param(wiring, part, id=f"{wiring.__module__}:{name}")
    for wiring in WIRINGS
    for name in dir(wiring)
    if isinstance(part := getattr_static(wiring, name), Part)
]


def type_of(wiring: type[Any], name: str) -> Any:
    part = getattr_static(wiring, name, None)
    if isinstance(part, Part):
        return part.built
    if isinstance(part, cached_property):
        return get_type_hints(part.func)["return"]
    return get_type_hints(wiring)[name]


@pytest.mark.parametrize(("wiring", "part"), PARTS)
def test_part_parameters_have_types_of_parts_with_their_names(
    wiring: type[Any], part: Part[Any]
) -> None:
    wanted = get_type_hints(part.built) | get_type_hints(part.built.__init__)
    for parameter in signature(part.built).parameters:
        assert type_of(wiring, parameter) == wanted[parameter]


@pytest.mark.parametrize(("wiring", "part"), PARTS)
def test_part_names_at_most_7_collaborators(wiring: type[Any], part: Part[Any]) -> None:
    del wiring
    assert len(signature(part.built).parameters) <= 7
