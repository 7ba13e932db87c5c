"""One mailbox has one name, and one name is one mailbox."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth_service.destination import Destination, parse_mail_address, parse_mail_destination
from shared.errors import ValidationFailed


@pytest.mark.parametrize(
    "written",
    [
        "asha.rao@example.com",
        "ASHA.RAO@EXAMPLE.COM",
        "Asha.Rao@Example.Com ",
        "\tasha.rao@example.com\n",
        "\N{LEFT-TO-RIGHT EMBEDDING}asha.rao@example.com\N{POP DIRECTIONAL FORMATTING}",
        "asha.rao@\N{ZERO WIDTH SPACE}example.com\N{NO-BREAK SPACE}",
        "asha.rao@example.com.",
        "asha.rao@example.com. ",
        "Asha.Rao@example.com,",
        "asha.rao@example.com\N{IDEOGRAPHIC FULL STOP}",
        "asha.rao@\N{ZERO WIDTH JOINER}example.com.\N{ZERO WIDTH NON-JOINER}",
    ],
    ids=ascii,
)
def test_mail_address_in_any_case_has_one_form(written: str) -> None:
    assert parse_mail_address(written) == "asha.rao@example.com"
    assert parse_mail_destination(written, field="email") == Destination(
        "email", "asha.rao@example.com"
    )


@pytest.mark.parametrize(
    "address",
    [
        "a@b.co",
        "o'brien+tag@mail.example.org",
        "x_{y}|z@sub.domain-with-dash.example",
        "a" * 64 + "@example.com",
        "a@xn--bcher-kva.example",
        "abc.@docomo.ne.jp",
        "a..b@ezweb.ne.jp",
        "a...b..@shop.biz.ezweb.ne.jp",
    ],
)
def test_mail_address_valid_is_accepted(address: str) -> None:
    assert parse_mail_address(address) == address


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ('"asha.rao"@example.com', "asha.rao@example.com"),
        (' "Abc."@DoCoMo.ne.jp ', "abc.@docomo.ne.jp"),
        ('"john..doe"@docomo.ne.jp', "john..doe@docomo.ne.jp"),
    ],
)
def test_mail_address_quoted_is_the_same_mailbox(written: str, address: str) -> None:
    assert parse_mail_address(written) == address


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("info@bücher.de", "info@xn--bcher-kva.de"),
        ("Info@BÜCHER.de.", "info@xn--bcher-kva.de"),
        ("info@bu\N{COMBINING DIAERESIS}cher.de", "info@xn--bcher-kva.de"),
        ("info@XN--Bcher-KVA.de", "info@xn--bcher-kva.de"),
        ("info@faß.de", "info@xn--fa-hia.de"),
        ("info@кц.рф", "info@xn--j1ay.xn--p1ai"),
        ("info@例え\N{IDEOGRAPHIC FULL STOP}jp", "info@xn--r8jz45g.jp"),
        ("info@例え.jp\N{IDEOGRAPHIC FULL STOP}", "info@xn--r8jz45g.jp"),
        ("info@نامه\N{ZERO WIDTH NON-JOINER}ای.com", "info@xn--mgba3gch31f060k.com"),
        ("info@نامهای.com", "info@xn--mgba3gch31f.com"),
        ("info@ශ්\N{ZERO WIDTH JOINER}රී.com", "info@xn--10cl1a0b660p.com"),
        ("info@bü\N{ZERO WIDTH NON-JOINER}cher.de", "info@xn--bcher-kva.de"),
    ],
    ids=ascii,
)
def test_mail_address_domain_of_any_script_has_its_ascii_form(written: str, address: str) -> None:
    assert parse_mail_address(written) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "asha",
        "@example.com",
        "asha@",
        "asha@localhost",
        "a@x.com,b@y.com",
        "a@x.com b@y.com",
        "a@x.com;b@y.com",
        "a@b@example.com",
        "Asha <asha@example.com>",
        '"asha rao"@example.com',
        "asha@[127.0.0.1]",
        "asha@127.0.0.1",
        "asha@exa mple.com",
        "asha@-example.com",
        "asha@example-.com",
        "asha@example..com",
        ".asha@example.com",
        "asha.@example.com",
        "as..ha@example.com",
        '"as..ha"@example.com',
        ".asha@docomo.ne.jp",
        "..@docomo.ne.jp",
        "asha.@docomo.ne.jp.example.com",
        "asha.@mydocomo.ne.jp",
        "asha.@myezweb.ne.jp",
        "asha.@docomo.ne.jp@ezweb.ne.jp",
        '"@example.com',
        '""@example.com',
        '""asha""@example.com',
        '"asha@example.com',
        '"a@b"@example.com',
        '"a\\"b"@example.com',
        '"asha rao."@docomo.ne.jp',
        "asha\n@example.com",
        "asha@example.com\x0b",
        "asha\r\nBcc: b@y.com@example.com",
        "asha\0@example.com",
        "asha\N{FULLWIDTH COMMERCIAL AT}example.com",
        "\N{FULLWIDTH LATIN SMALL LETTER A}sha@example.com",
        "ash\N{CYRILLIC SMALL LETTER A}@example.com",
        "info@bücher..de",
        "info@-bücher.de",
        "info@bücher",
        "info@\N{HOT BEVERAGE}.example",
        "info@bücher.\ud800",
        "info@b\N{FULLWIDTH COMMERCIAL AT}ü.de",
        "asha@example.com..",
        "asha@example.com;",
        "=?utf-8?q?ravi=40example.org=2c?=@example.com",
        "=?utf-8?q?=0aBcc=3a_x?=@example.com",
        "=?UTF-8?B?dg0KQmNjOiBhQGIuYw==?=@example.com",
        "asha=?utf-8?q?=ff?=@example.com",
        "K\N{KELVIN SIGN}@example.com",
        "a" * 65 + "@example.com",
        "a@" + "b" * 64 + ".com",
        "a@" + "b." * 130 + "com",
        "a@" + "ü" * 63 + ".com",
        "a@" + "ü." * 125 + "com",
        "a@" + "\N{COMBINING GRAVE ACCENT}" * 250,
    ],
)
def test_mail_address_invalid_is_refused(text: str) -> None:
    assert parse_mail_address(text) is None
    with pytest.raises(ValidationFailed) as refused:
        parse_mail_destination(text, field="email")
    assert [(e.field, e.code) for e in refused.value.errors] == [("email", "mail_address")]


@pytest.mark.parametrize("text", ["пример@кц.рф", "jörg@example.com", " 例え@例え.jp "], ids=ascii)
def test_mail_address_local_part_of_another_script_is_refused_with_the_reason(text: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        parse_mail_destination(text, field="email")
    assert "ASCII before the @" in refused.value.errors[0].message


@given(st.text(max_size=300))
def test_mail_address_accepted_is_plain_and_stable(text: str) -> None:
    address = parse_mail_address(text)
    if address is not None:
        assert address.isascii()
        assert address.isprintable()
        assert address.count("@") == 1
        assert parse_mail_address(address) == address
        assert not text.isascii() or parse_mail_address(text.upper()) == address


@given(st.emails())
def test_mail_address_ordinary_is_accepted(address: str) -> None:
    local, _, domain = address.rpartition("@")
    plain = not domain.rpartition(".")[2].isdigit() and not (local[0] + local[-1]).count(".")
    if plain and ".." not in local:
        assert parse_mail_address(address) == address.lower()
