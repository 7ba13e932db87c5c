"""The `Authorization` header. Source: RFC 6750 §2.1."""

import pytest

from shared.tokens import parse_bearer_token


@pytest.mark.parametrize(
    ("given_header", "token"),
    [
        ("Bearer abc", "abc"),
        ("bearer abc", "abc"),
        ("BEARER  abc ", "abc"),
        ("Bearer", None),
        ("Bearer ", None),
        ("Basic abc", None),
        ("abc", None),
        ("", None),
        (None, None),
    ],
)
def test_bearer_token_is_parsed_from_authorization(
    given_header: str | None, token: str | None
) -> None:
    assert parse_bearer_token(given_header) == token
