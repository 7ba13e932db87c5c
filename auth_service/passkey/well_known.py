"""The files by which Android and iOS know the apps that may use this domain's passkeys."""

from collections.abc import Mapping, Sequence

from aiohttp import web

from auth_service.resources import SETTINGS
from shared.errors import NotFound

ASSET_LINKS, APPLE_ASSOCIATION = (
    "/.well-known/assetlinks.json",
    "/.well-known/apple-app-site-association",
)
RELATIONS = [
    "delegate_permission/common.get_login_creds",
    "delegate_permission/common.handle_all_urls",
]
"""Credential Manager needs the first one, and older releases of Android both."""


async def get_asset_links(request: web.Request) -> web.Response:
    """Answer with the Android apps of `ANDROID_ASSET_LINKS`; 404 without one."""
    apps = request.app[SETTINGS].android_apps
    links = [
        {
            "relation": RELATIONS,
            "target": {
                "namespace": "android_app",
                "package_name": package,
                "sha256_cert_fingerprints": fingerprints,
            },
        }
        for package, fingerprints in apps.items()
    ]
    return _file_response(links)


async def get_apple_association(request: web.Request) -> web.Response:
    """Answer with the iOS apps of `APPLE_APP_IDS`; 404 without one."""
    apps = request.app[SETTINGS].apple_app_ids
    return _file_response({"webcredentials": {"apps": list(apps)}} if apps else None)


def _file_response(content: Mapping[str, object] | Sequence[object] | None) -> web.Response:
    if not content:
        raise NotFound
    return web.json_response(content, headers={"Cache-Control": "public, max-age=300"})
