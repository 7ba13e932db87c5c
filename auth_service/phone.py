"""Phone numbers: one number has one name, E.164, however it was written."""

import re

import phonenumbers
from phonenumbers import (
    COUNTRY_CODE_TO_REGION_CODE,
    PhoneMetadata,
    PhoneNumber,
    PhoneNumberFormat,
    PhoneNumberType,
)

from shared.text import strip_number

MAX_NUMBER_LENGTH = 40
NO_COUNTRY = "001"  # satellite phones and international services
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_DIALLED = re.compile(r"(?:tel:)?(\+?[0-9]+)", re.IGNORECASE)
_OLD_MEXICAN_MOBILE = re.compile(r"\+521(?=[0-9]{10}$)")  # contacts keep the 1, dropped in 2019
_OLD_GABONESE = re.compile(r"\+241(?=[0-9]{7}$)")  # contacts lack the 0 that was added
_NO_SMS = {
    PhoneNumberType.UNKNOWN,  # which is the library's word for: not a valid number
    PhoneNumberType.PREMIUM_RATE,
    PhoneNumberType.SHARED_COST,
    PhoneNumberType.VOIP,
    PhoneNumberType.UAN,
    PhoneNumberType.VOICEMAIL,
    PhoneNumberType.PAGER,
    PhoneNumberType.PERSONAL_NUMBER,
    PhoneNumberType.TOLL_FREE,
    PhoneNumberType.FIXED_LINE,
}


def parse_phone_number(text: str, default_region: str, countries: tuple[str, ...]) -> str | None:
    """Return the number in E.164, or None when no SMS can or may be sent to it.

    A number without country code is read in `default_region`. ASCII digits alone count: other
    scripts' digits would give one number several names. `countries`: allowed regions, or `*`.
    """
    found = _DIALLED.fullmatch(strip_number(text))
    if not found or len(found[1]) > MAX_NUMBER_LENGTH:
        return None
    dialled = _OLD_MEXICAN_MOBILE.sub("+52", found[1])
    try:
        number = parse_e164(dialled) or phonenumbers.parse(dialled, default_region)
    except phonenumbers.NumberParseException:
        return None
    if number.extension or phonenumbers.number_type(number) in _NO_SMS:
        return None
    region = phonenumbers.region_code_for_number(number)
    if region == NO_COUNTRY:
        return None
    if countries != ("*",) and region not in countries:
        return None
    return _OLD_GABONESE.sub("+2410", phonenumbers.format_number(number, PhoneNumberFormat.E164))


def parse_e164(text: str) -> PhoneNumber | None:
    """Return the result of `phonenumbers.parse` at a fifth of its cost; None when in doubt.

    Most clients send E.164, in which there is nothing to find and mostly nothing to strip: it is
    asked where a national prefix could be meant.
    """
    if not _E164.fullmatch(text):
        return None
    try:
        country_code, digits = split_country_code(text)
    except ValueError:
        return None
    region = COUNTRY_CODE_TO_REGION_CODE[country_code][0]
    metadata = PhoneMetadata.metadata_for_region_or_calling_code(country_code, region)
    prefix = metadata and metadata.national_prefix_for_parsing
    if metadata is None or digits[:1] in {"", "0"} or (prefix and re.match(prefix, digits)):
        return None
    return PhoneNumber(country_code=country_code, national_number=int(digits))


def split_country_code(e164: str) -> tuple[int, str]:
    """Return country code and national digits of a number that `parse_phone_number` gave.

    No country code begins another one, so that the number is not parsed again (ITU-T E.164 §6).

    Raises:
        ValueError: it is no such number.
    """
    for end in (2, 3, 4) if e164.startswith("+") else ():
        code = int(e164[1:end])
        if code in COUNTRY_CODE_TO_REGION_CODE:
            return code, e164[end:]
    raise ValueError("not a number in E.164")


def region_of(e164: str) -> str | None:
    """Return the region of a number that `parse_phone_number` gave.

    Raises:
        ValueError: it is no such number.
    """
    regions = COUNTRY_CODE_TO_REGION_CODE[split_country_code(e164)[0]]
    if len(regions) == 1:
        return regions[0]
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(e164))
    except phonenumbers.NumberParseException as wrong:
        raise ValueError(str(wrong)) from wrong
