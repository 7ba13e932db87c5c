"""Phone numbers: one number has one name, E.164, however it was written."""

import re

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType

MAX_NUMBER_LENGTH = 40
NO_COUNTRY = "001"  # satellite phones and international services
_WRITTEN = re.compile(r"\+?[0-9][0-9 ().\-]*")
_NO_SMS = {
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
    if len(text) > MAX_NUMBER_LENGTH or not _WRITTEN.fullmatch(text):
        return None
    try:
        number = phonenumbers.parse(text, default_region)
    except phonenumbers.NumberParseException:
        return None
    if number.extension or not phonenumbers.is_valid_number(number):
        return None
    region = phonenumbers.region_code_for_number(number)
    if region == NO_COUNTRY:
        return None
    allowed = countries == ("*",) or region in countries
    if not allowed or phonenumbers.number_type(number) in _NO_SMS:
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)
