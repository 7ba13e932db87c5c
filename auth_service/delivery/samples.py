"""All templates with sample parameters, for tests, previews and the check at the start."""

from collections.abc import Mapping

from auth_service.destination import Channel

_CODE = {"code": "123456", "minutes": "10"}
_RESET_LINK = "https://id.example/v1/auth/pages/reset-password#reset_ticket=cht_" + "a" * 49
_ACTIVATION_LINK = "https://id.example/v1/auth/pages/activate#email=asha%40example.com&otp=123456"
_EVENT = {
    "time": "2026-11-30 10:45 UTC",
    "address": "2001:fdb8:85a3:18d3:1319:8a2e:1370:7348",
    "device": "Mozilla/5.0 (Linux; Android 14) Chrome/126.0",
}
MESSAGE_SAMPLES: Mapping[str, Mapping[str, str]] = {
    "code": _CODE,
    "activate": _CODE | {"link": _ACTIVATION_LINK},
    "reset": _CODE | {"link": _RESET_LINK},
    "already_registered": {},
    "new_sign_in": _EVENT | {"left_out": "12"},
    "password_changed": _EVENT,
    "password_reset": _EVENT,
    "factor_added": _EVENT,
    "factor_removed": _EVENT,
    "factors_reset": {},
    "recovery_codes_replaced": _EVENT,
    "recovery_code_used": _EVENT | {"left": "10"},
    "contact_changed": _EVENT | {"what": "phone number", "new": "…10"},
}
"""Each message's parameters, with values as long as they come."""
PARTS: Mapping[Channel, tuple[str, ...]] = {
    "sms": ("sms.txt",),
    "email": ("email.subject.txt", "email.txt", "email.html"),
}
PAGE_SAMPLES: Mapping[str, Mapping[str, str]] = {
    "reset_password": {"nonce": "AAAA"},
    "activate": {"nonce": "AAAA"},
}
"""Each page's parameters. `nonce`: allows its style and its script."""
SHARED_PARAMETERS = frozenset({"product", "logo_url", "color", "text_color", "locale"})
"""The parameters of every template."""
SAMPLES_BY_FILE: Mapping[str, Mapping[str, str]] = {
    f"{name}.{part}": values
    for name, values in MESSAGE_SAMPLES.items()
    for parts in PARTS.values()
    for part in parts
} | {f"{name}.page.html": values for name, values in PAGE_SAMPLES.items()}
"""Every file of a language, with its parameters."""
