"""The command line of auth_service.

python -m auth_service serve
python -m auth_service worker
python -m auth_service keys generate|rotate|list
python -m auth_service deliveries dead|retry ID|delete ID
python -m auth_service admin grant|revoke ADDRESS ROLE
python -m auth_service reset-factors ADDRESS REASON
python -m auth_service purge
python -m auth_service templates preview [DIRECTORY]
"""

import argparse
import asyncio
import json
import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import get_args

from auth_service.app import create_app
from auth_service.commands import (
    run_admin,
    run_deliveries,
    run_purge,
    run_reset_factors,
    run_worker,
)
from auth_service.delivery.errors import TemplateProblemError
from auth_service.delivery.preview import preview
from auth_service.settings import AuthSettings
from auth_service.settings.keys import KeySettings
from auth_service.settings.messages import MessageSettings
from auth_service.settings.roles import Role
from auth_service.signing.keystore import (
    PUBLISHED_BEFORE_USE,
    Algorithm,
    KeyStore,
    select_signing_key,
    to_jwks,
    write_atomically,
)
from auth_service.wiring import Wiring
from shared.clock import Clock, SystemClock, rfc3339
from shared.entropy import SystemEntropy
from shared.logs import configure_logs
from shared.prctl import deny_inspection
from shared.server import exit_after, run
from shared.settings import load_settings
from shared.start_up import log_warnings
from shared.tokens import LONGEST_LIFE_SECONDS

SLACK = timedelta(minutes=2)


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the process' exit status."""
    chosen = _parser().parse_args(arguments)
    if chosen.command == "keys":
        return _keys(chosen.action, chosen.algorithm, SystemClock())
    try:
        if chosen.command == "templates":
            return preview(load_settings(MessageSettings), chosen.directory)
        return _run(chosen)
    except TemplateProblemError as broken:
        lines = [f"settings: {problem}" for problem in str(broken).splitlines()]
        raise SystemExit("\n".join(lines)) from None


def _run(chosen: argparse.Namespace) -> int:
    settings = load_settings(AuthSettings)
    clock, entropy = SystemClock(), SystemEntropy()
    wiring = Wiring(settings, clock=clock, entropy=entropy)
    if chosen.command == "purge":
        return asyncio.run(run_purge(wiring))
    if chosen.command == "admin":
        return asyncio.run(run_admin(wiring, chosen))
    if chosen.command == "reset-factors":
        return asyncio.run(run_reset_factors(wiring, chosen))
    if chosen.command == "deliveries":
        return asyncio.run(run_deliveries(wiring, chosen.action, chosen.id))
    configure_logs(settings.log_level, settings.log_format)
    log_warnings(settings, os.environ)
    if settings.production:
        deny_inspection()
    if chosen.command == "worker":
        asyncio.run(exit_after(run_worker(wiring)))
    else:
        run(create_app(settings, clock=clock, entropy=entropy), settings)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m auth_service")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="serve the HTTP interface, send deliveries and webhooks")
    commands.add_parser("worker", help="send deliveries and webhooks only")
    deliveries = commands.add_parser("deliveries", help="messages that could not be sent")
    deliveries.add_argument("action", choices=["dead", "retry", "delete"])
    deliveries.add_argument("id", nargs="?", default="")
    admin = commands.add_parser("admin", help="grant or revoke the roles admin and editor")
    admin.add_argument("action", choices=["grant", "revoke"])
    admin.add_argument("address", help="a verified number or mail address")
    admin.add_argument("role", choices=get_args(Role))
    reset = commands.add_parser("reset-factors", help="remove the lost second factors of a user")
    reset.add_argument("address", help="a verified number or mail address")
    reset.add_argument("reason", help="why; the audit trail keeps it")
    templates = commands.add_parser("templates", help="messages and pages with sample values")
    templates.add_argument("action", choices=["preview"])
    help_ = "where to write them as files; without it, texts are printed"
    templates.add_argument("directory", nargs="?", type=Path, help=help_)
    commands.add_parser("purge", help="remove what has ended; `serve` does it each hour")
    keys = commands.add_parser("keys", help="signing keys in JWT_PRIVATE_KEYS_DIR")
    keys.add_argument("action", choices=["generate", "rotate", "list"])
    keys.add_argument("--algorithm", choices=get_args(Algorithm), default="EdDSA")
    return parser


def _keys(action: str, algorithm: Algorithm, clock: Clock) -> int:
    """Make the first key, the next one, or none; write the public set and print all keys.

    A next key is published ten minutes before it signs, so that every verifier knows it by then. A
    replaced one stays for the longest `ACCESS_TOKEN_TTL` that a service may have: its own setting
    is not known here.
    """
    settings = load_settings(KeySettings)
    store, now = KeyStore(settings.jwt_private_keys_dir), clock.now()
    if action == "generate" and not store.load():
        store.create(algorithm, signs_from=now)
    elif action == "rotate":
        store.create(algorithm, signs_from=now + PUBLISHED_BEFORE_USE)
        store.drop_retired(now, timedelta(seconds=LONGEST_LIFE_SECONDS) + SLACK)
    keys = store.load()
    if settings.jwks_file:
        write_atomically(settings.jwks_file, json.dumps(to_jwks(keys)), mode=0o644)
    current = select_signing_key(keys, now)
    for key in keys:
        state = "signs" if key == current else "published"
        sys.stdout.write(f"{key.kid} {key.algorithm} {state}, from {rfc3339(key.signs_from)}\n")
    return 0
