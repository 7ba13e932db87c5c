"""Destinations of codes: a phone number or a mail address, each in its canonical form."""

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

import idna

from auth_service.phone import parse_phone_number
from auth_service.settings import AuthSettings
from shared.errors import FieldError, ValidationFailed
from shared.text import JOINERS, strip_typed

Channel = Literal["sms", "email"]
MAX_ADDRESS, MAX_LOCAL_PART = 254, 64
_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ANY_DOTS = rf"{_ATOM}(?:\.+{_ATOM})*\.*(?=@(?:docomo|(?:.+\.)?ezweb)\.ne\.jp$)"
"""Stray dots, as two Japanese carriers allowed them until 2009; SMTP needs quotes around them."""
_LOCAL_PART = rf"({_ATOM}(?:\.{_ATOM})*|{_ANY_DOTS})"
_MAILBOX = re.compile(rf"{_LOCAL_PART}@(?:{_LABEL}\.)+(?![0-9]+$){_LABEL}", re.ASCII)
_ENCODED = "=?"
"""The start of an encoded word: mail programs show, and write into `To`, the decoded one."""


@dataclass(frozen=True, slots=True)
class Destination:
    """`address` is E.164 for `sms`, a mailbox in lower case for `email`."""

    channel: Channel
    address: str

    @property
    def mailbox(self) -> str:
        """Return the mailbox that limits count: that of a plus-address is before the `+`."""
        local, at, domain = self.address.partition("@")
        return f"{local.partition('+')[0] or local}{at}{domain}"

    @property
    def costs_money(self) -> bool:
        """Return whether a message to it costs money, which makes SMS pumping pay."""
        return self.channel == "sms"


def parse_mail_address(text: str) -> str | None:
    """Return the mailbox in `text`, in lower case, or None.

    Blanks around it do not count, nor the full stop or comma that phone keyboards add, nor quotes
    around the local part: they belong to its spelling, not to the mailbox.
    The domain gets its ASCII form. Before it is ASCII alone: letters of other scripts would give
    one mailbox several spellings.
    Source: RFC 5321 §4.1.2 without blanks, specials and address literals, §4.5.3.1; RFC 2047 §5.
    """
    local, _, _ = strip_typed(text).rpartition("@")
    if len(local) > 1 and local[0] == local[-1] == '"':
        local = local[1:-1]
    _, _, domain = strip_typed(text, keep=JOINERS).removesuffix(",").rpartition("@")
    if len(local) + len(domain) >= MAX_ADDRESS or not local.isascii() or _ENCODED in local:
        return None
    address = f"{local}@{_to_ascii(domain).removesuffix('.')}".lower()
    found = _MAILBOX.fullmatch(address)
    fits = found and len(address) <= MAX_ADDRESS and len(found[1]) <= MAX_LOCAL_PART
    return address if fits else None


def _to_ascii(domain: str) -> str:
    """Return the domain as mail servers know it, "" when it is none.

    A joiner counts where a script's spelling needs it, and is a stray mark elsewhere.
    Source: RFC 5891, RFC 5892 appendix A, UTS 46.
    """
    for spelling in (domain, strip_typed(domain)):
        if spelling.isascii():
            return spelling
        with suppress(idna.IDNAError):
            return idna.encode(spelling, uts46=True).decode()
    return ""


def parse_phone_destination(text: str, settings: AuthSettings, *, field: str) -> Destination:
    """Return the destination of a text message to the number.

    Raises:
        ValidationFailed: it is no mobile number, or its country gets no codes.
    """
    number = parse_phone_number(text, settings.default_region, settings.sms_countries)
    if number is None:
        message = "not a mobile number that codes are sent to; write it as +919876543210"
        raise ValidationFailed([FieldError(field, "phone_number", message)])
    return Destination("sms", number)


def parse_mail_destination(text: str, *, field: str) -> Destination:
    """Return the destination of a mail to the address.

    Raises:
        ValidationFailed: it is not one mailbox.
    """
    address = parse_mail_address(text)
    if address is None:
        script = not strip_typed(text).rpartition("@")[0].isascii()
        message = "codes are sent to addresses that are ASCII before the @" if script else ""
        message = message or "not one mail address"
        raise ValidationFailed([FieldError(field, "mail_address", message)])
    return Destination("email", address)


def parse_destination(
    settings: AuthSettings, mobile: str | None, email: str | None, field: str = "mobile"
) -> Destination:
    """Return the mobile's destination if there is one, else the mail address'.

    `field`: the name by which the client sent the mobile.

    Raises:
        ValidationFailed: the value is no such address.
    """
    if mobile is not None:
        return parse_phone_destination(mobile, settings, field=field)
    return parse_mail_destination(email or "", field="email")
