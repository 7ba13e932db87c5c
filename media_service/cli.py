"""The command line: `python -m media_service serve|sweep|lost|previous-link-keys`."""

import argparse
import asyncio
import os
from datetime import timedelta
from uuid import UUID

from media_service.app import create_app
from media_service.creative.signed_link import derive_previous_keys
from media_service.erasure.lost_files import handle_lost_pictures
from media_service.malloc import keep_freed_chunks
from media_service.picture.reconcile import MIN_AGE, ReconcileReport, reconcile
from media_service.settings import MediaSettings
from media_service.storage.factory import open_storage
from shared.clock import SystemClock
from shared.db import open_database
from shared.entropy import SystemEntropy
from shared.errors import ServiceUnavailable
from shared.logs import configure_logs, describe_error
from shared.prctl import deny_inspection
from shared.server import run
from shared.settings import load_settings
from shared.start_up import log_warnings


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return the exit code."""
    options = _parser().parse_args(arguments)
    settings = load_settings(MediaSettings)
    configure_logs(settings.log_level, settings.log_format)
    if options.command == "sweep":
        return _reconcile(settings, timedelta(seconds=options.older_than))
    if options.command == "lost":
        return _handle_lost_files(settings, options.delete)
    if options.command == "previous-link-keys":
        keys = derive_previous_keys(settings.revocation_keys, SystemClock().now())
        print(f"PREVIOUS_LINK_KEYS={','.join(map(str, keys))}")
        return 0
    log_warnings(settings, os.environ)
    keep_freed_chunks()
    if settings.production:
        deny_inspection()
    run(create_app(settings, clock=SystemClock(), entropy=SystemEntropy()), settings)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m media_service", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="serve until SIGTERM")
    commands.add_parser(
        "previous-link-keys",
        help="print the setting that keeps links of the release before MEDIA_SECRET_KEYS valid",
    )
    sweeping = commands.add_parser("sweep", help="remove files that no row knows; report lost ones")
    sweeping.add_argument(
        "--older-than",
        type=float,
        default=MIN_AGE.total_seconds(),
        metavar="SECONDS",
        help="minimum age of a file; 0 only while no service runs (default: %(default)s)",
    )
    lost = commands.add_parser("lost", help="list pictures whose files are lost")
    lost.add_argument(
        "--delete",
        type=UUID,
        nargs="+",
        default=[],
        metavar="ID",
        help="delete these for good, where files of theirs are lost",
    )
    return parser


def _handle_lost_files(settings: MediaSettings, wanted: list[UUID]) -> int:
    """Return 0 when no file is lost, or all that was wanted is deleted; else 1."""
    try:
        return asyncio.run(handle_lost_pictures(settings, wanted))
    except ServiceUnavailable as away:
        print(f"lost: {describe_error(away)}")
        return 1


def _reconcile(settings: MediaSettings, older_than: timedelta) -> int:
    """Return 0 when every row has its files, 1 when some are lost or the database is away."""
    try:
        report = asyncio.run(_run_reconcile(settings, older_than))
    except ServiceUnavailable as away:
        print(f"sweep: {describe_error(away)}")
        return 1
    print(
        f"temporary files removed: {report.temp_files_removed}, "
        f"orphans removed: {report.orphans_removed}, files missing: {report.files_missing}"
    )
    return 1 if report.files_missing else 0


async def _run_reconcile(settings: MediaSettings, older_than: timedelta) -> ReconcileReport:
    database_url = settings.media_database_url.get_secret_value()
    async with (
        open_storage(settings.storage_url, SystemClock(), SystemEntropy()) as storage,
        open_database(database_url) as database,
    ):
        return await reconcile(database, storage, older_than)
