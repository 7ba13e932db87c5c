"""Settings of passkeys: the domain that they belong to, and the pages and apps that use them."""

import re
from collections.abc import Mapping
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import NoDecode

from shared.origins import is_secure, to_origin
from shared.settings import ServiceSettings, split_list

_DOMAIN = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")
_ANDROID_APP = re.compile(r"android:apk-key-hash(?:-sha256)?:[A-Za-z0-9_-]{43}")
_ASSET_LINK = re.compile(r"[A-Za-z]\w*(?:\.[A-Za-z]\w*)+/[0-9A-F]{2}(?::[0-9A-F]{2}){31}", re.ASCII)
_APPLE_APP = re.compile(r"[A-Z0-9]{10}\.[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")


def is_address(host: str) -> bool:
    """Tell whether browsers take a host for an IP address. Source: URL standard, host parsing."""
    return host.count(":") > 1 or host.rpartition(".")[2].isdigit()


def _require_domain(text: str) -> str:
    domain = text.lower()
    if is_address(domain):
        raise ValueError("expected a name, such as localhost: no browser takes an IP address")
    if domain and not _DOMAIN.fullmatch(domain):
        raise ValueError("expected a domain without scheme and port, such as example.com")
    return domain


def _require_origin(text: str) -> str:
    if not text.startswith("android:"):
        return to_origin(text, ("https", "http"))
    if not _ANDROID_APP.fullmatch(text):
        raise ValueError(
            "expected android:apk-key-hash: and the SHA-256 of the app's signing certificate in "
            "base64url, 43 characters"
        )
    return text


def _require_asset_link(text: str) -> str:
    package, slash, fingerprint = text.partition("/")
    link = f"{package}{slash}{fingerprint.upper()}"
    if not _ASSET_LINK.fullmatch(link):
        raise ValueError(
            "expected the app's package, a slash, and the SHA-256 fingerprint of its signing "
            "certificate, such as com.example.app/14:6D:…"
        )
    return link


def _require_apple_app(text: str) -> str:
    if not _APPLE_APP.fullmatch(text):
        raise ValueError("expected team and bundle id, such as A1B2C3D4E5.com.example.app")
    return text


AssetLinks = Annotated[
    tuple[Annotated[str, AfterValidator(_require_asset_link)], ...],
    NoDecode,
    BeforeValidator(split_list),
]
AppleApps = Annotated[
    tuple[Annotated[str, AfterValidator(_require_apple_app)], ...],
    NoDecode,
    BeforeValidator(split_list),
]
PasskeyOrigins = Annotated[
    tuple[Annotated[str, AfterValidator(_require_origin)], ...],
    NoDecode,
    BeforeValidator(split_list),
]


class PasskeySettings(ServiceSettings):
    """The settings of passkeys."""

    webauthn_rp_id: Annotated[str, AfterValidator(_require_domain)] = Field(
        "",
        description="domain that passkeys belong to, a parent domain of all pages that use them; "
        "the host of `PUBLIC_URL` when unset. A change makes all passkeys useless",
    )
    webauthn_origins: PasskeyOrigins = Field(
        (),
        description="comma-separated origins that use passkeys: pages as `https://app.example` "
        "(iOS apps: the domain's own), Android apps as `android:apk-key-hash:…`; the origin of "
        "`PUBLIC_URL` when unset",
    )

    android_asset_links: AssetLinks = Field(
        (),
        description="Android apps that use the domain's passkeys, comma-separated: package, slash, "
        "and SHA-256 fingerprint of the signing certificate. Served as "
        "`/.well-known/assetlinks.json`",
    )
    apple_app_ids: AppleApps = Field(
        (),
        description="iOS apps that use the domain's passkeys, comma-separated, each as "
        "`TEAMID.bundle.id`. Served as `/.well-known/apple-app-site-association`",
    )

    @property
    def android_apps(self) -> Mapping[str, list[str]]:
        """The fingerprints of each Android app, by its package."""
        apps: dict[str, list[str]] = {}
        for link in self.android_asset_links:
            package, _, fingerprint = link.partition("/")
            apps.setdefault(package, []).append(fingerprint)
        return apps

    @property
    def relying_party_id(self) -> str:
        """The domain that passkeys belong to; an address where `PUBLIC_URL` has one."""
        return self.webauthn_rp_id or urlsplit(self.public_url).hostname or ""

    @property
    def passkey_origins(self) -> tuple[str, ...]:
        """The origins that may use passkeys."""
        return self.webauthn_origins or (to_origin(self.public_url),)

    def passkey_problems(self) -> list[str]:
        """Return a line for each setting under which no browser would make a passkey.

        Without these settings there is none: an installation may be reached by an address, and
        have no passkeys.
        """
        domain = self.relying_party_id
        if not (self.webauthn_rp_id or self.webauthn_origins):
            return []
        if is_address(domain):
            return [f"WEBAUTHN_RP_ID: set it to a name, since PUBLIC_URL has the address {domain}"]
        problems = (_origin_problem(origin, domain) for origin in self.passkey_origins)
        return [problem for problem in problems if problem]


def _origin_problem(origin: str, domain: str) -> str | None:
    host = urlsplit(origin).hostname or ""
    if origin.startswith("android:"):
        return None
    if host != domain and not host.endswith(f".{domain}"):
        return f"WEBAUTHN_RP_ID: {domain} is neither the host of {origin} nor a parent domain of it"
    if not is_secure(origin):
        return f"WEBAUTHN_ORIGINS: {origin} needs https, as every page but localhost does"
    return None
