"""Phone numbers: one number has one name, and some are never written to."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth_service.delivery.metrics import country_of
from auth_service.phone import parse_e164, parse_phone_number, region_of, split_country_code

ANY = ("*",)
EXAMPLES = [
    example
    for region in sorted(phonenumbers.SUPPORTED_REGIONS)
    if (
        example := phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    )
]


@pytest.mark.parametrize(
    "written",
    [
        "9876543210",
        "09876543210",
        "+919876543210",
        "+91 98765 43210",
        "+91-98765-43210",
        "+91 (98765) 43210",
        "98765.43210",
        "(98765) 43210",
        "(+91) 98765-43210 ",
        "98765\N{NO-BREAK SPACE}43210",
        "\N{LEFT-TO-RIGHT EMBEDDING}+91 98765 43210\N{POP DIRECTIONAL FORMATTING}",
        "98765\N{NON-BREAKING HYPHEN}43210",
        "\t9876543210\n",
        "+91 98765 43210" + " " * 30,
        "tel:+919876543210",
        "TEL: +91-98765-43210",
        "[098765] 43210",
        "\N{FULLWIDTH LEFT PARENTHESIS}98765\N{FULLWIDTH RIGHT PARENTHESIS}43210",
        "98765\N{KATAKANA-HIRAGANA PROLONGED SOUND MARK}43210",
        "98765\N{FULLWIDTH HYPHEN-MINUS}43210",
    ],
    ids=ascii,
)
def test_phone_number_in_every_spelling_has_one_form(written: str) -> None:
    assert parse_phone_number(written, "IN", ANY) == "+919876543210"


@pytest.mark.parametrize("home", ["IN", "MX", "US"])
def test_phone_number_with_the_old_mexican_mobile_prefix_is_the_one_without(home: str) -> None:
    assert parse_phone_number("+52 1 55 1234 5678", home, ANY) == "+525512345678"
    assert parse_phone_number("+52 55 1234 5678", home, ANY) == "+525512345678"
    assert parse_phone_number("+52 1 55 1234 567", home, ANY) is None


@pytest.mark.parametrize("written", ["+241 2 25 51 02", "+241 02 25 51 02", "02 25 51 02"])
def test_phone_number_of_gabon_with_and_without_its_zero_is_one(written: str) -> None:
    assert parse_phone_number(written, "GA", ANY) == "+24102255102"


def test_phone_number_national_is_read_in_the_home_region() -> None:
    assert parse_phone_number("07400 123456", "GB", ANY) == "+447400123456"
    assert parse_phone_number("+44 7400 123456", "IN", ANY) == "+447400123456"


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "+",
        "abc",
        "12345",
        "९८७६५४३२१०",  # Devanagari digits
        "٩٨٧٦٥٤٣٢١٠",  # Arabic digits
        "\uff19\uff18\uff17\uff16\uff15\uff14\uff13\uff12\uff11\uff10",  # full-width digits
        "+9198765432१0",
        "\uff0b919876543210",
        "9876543210;ext=5",
        "9876543210 x5",
        "sms:+919876543210",
        "tel:+919876543210;ext=5",
        "tel:tel:+919876543210",
        "+91987654321012345",
        "+0009876543210",
        "++919876543210",
        "+919876543210,+919876543211",
        "+91 98765 43210" + "0" * 30,
        "\0" + "9876543210",
        "98765/43210",  # perhaps two numbers
    ],
)
def test_phone_number_malformed_is_refused(text: str) -> None:
    assert parse_phone_number(text, "IN", ANY) is None


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        ("premium rate", "+4490901234567"),
        ("premium rate", "+19002345678"),
        ("toll-free", "+18002345678"),
        ("toll-free", "+911800123456"),
        ("shared cost", "+448431234567"),
        ("fixed line", "+912212345678"),
        ("voice over IP", "+445612345678"),
        ("pager", "+447640123456"),
        ("universal access", "+445512345678"),
    ],
)
def test_phone_number_that_takes_no_messages_is_refused(kind: str, number: str) -> None:
    assert parse_phone_number(number, "IN", ANY) is None, kind


def test_phone_number_of_another_country_is_refused() -> None:
    assert parse_phone_number("+919876543210", "IN", ("IN", "GB")) == "+919876543210"
    assert parse_phone_number("+447400123456", "IN", ("IN", "GB")) == "+447400123456"
    assert parse_phone_number("+12015550123", "IN", ("IN", "GB")) is None
    assert parse_phone_number("+881612345678", "IN", ("IN", "GB")) is None  # a satellite's
    assert parse_phone_number("+12015550123", "IN", ()) is None


def test_phone_numbers_of_one_country_code_differ_by_region() -> None:
    canada, states = "+15062345678", "+12015550123"
    assert parse_phone_number(canada, "IN", ("US",)) is None
    assert parse_phone_number(canada, "IN", ("CA",)) == canada
    assert parse_phone_number(states, "IN", ("CA",)) is None


@given(st.text() | st.from_regex(r"\+?[0-9 ().\-]{0,45}", fullmatch=True))
def test_phone_number_of_any_text_is_e_164_or_refused(text: str) -> None:
    number = parse_phone_number(text, "IN", ANY)
    if number is not None:
        assert number[0] == "+"
        assert number[1:].isdecimal()
        assert number.isascii()
        assert len(number) <= 16
        assert parse_phone_number(number, "US", ANY) == number


def test_phone_number_parts_equal_those_of_the_library() -> None:
    assert len(EXAMPLES) > 200
    for example in EXAMPLES:
        number = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
        national = phonenumbers.national_significant_number(example)
        assert split_country_code(number) == (example.country_code, national)
        assert region_of(number) == phonenumbers.region_code_for_number(example)


@given(st.integers(0, 10**12))
def test_phone_number_accepted_is_valid(digits: int) -> None:
    text = f"+{digits}"
    if parse_phone_number(text, "IN", ANY):
        assert phonenumbers.is_valid_number(phonenumbers.parse(text))


CODES = sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)


@given(st.sampled_from(CODES), st.from_regex(r"[0-9]{2,13}", fullmatch=True))
def test_fast_parser_agrees_with_the_library(code: int, digits: str) -> None:
    short = parse_e164(f"+{code}{digits}")
    assert short is None or short == phonenumbers.parse(f"+{code}{digits}")


def test_fast_parser_handles_most_example_numbers() -> None:
    taken = 0
    for region in phonenumbers.SUPPORTED_REGIONS:
        for kind in phonenumbers.PhoneNumberType.values():
            example = phonenumbers.example_number_for_type(region, kind)
            if example is None:
                continue
            text = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
            short = parse_e164(text)
            assert short is None or short == phonenumbers.parse(text)
            taken += short is not None
    assert taken > 1000


@pytest.mark.parametrize("text", ["", "+", "+999", "+0", "a1@example.com", "919876543210", "+1"])
def test_country_of_malformed_number_is_unknown(text: str) -> None:
    assert country_of(text) == "unknown"
