"""The command line: `python -m media_service serve|worker|sweep|lost|previous-link-keys`."""

import argparse
import asyncio
import os
from datetime import timedelta
from uuid import UUID

from media_service.app import create_app
from media_service.creative.signed_link import derive_previous_keys
from media_service.erasure.lost_files import delete_lost_pictures, list_lost_pictures
from media_service.malloc import keep_freed_chunks
from media_service.picture.reconcile import MIN_AGE, reconcile
from media_service.settings import MediaSettings
from media_service.wiring import Wiring
from shared.background import run_periodically
from shared.clock import SystemClock
from shared.clock_check import watch_clock
from shared.entropy import SystemEntropy
from shared.errors import ServiceUnavailable
from shared.logs import configure_logs, describe_error
from shared.prctl import deny_inspection
from shared.server import exit_after, run, stop_signal
from shared.settings import load_settings
from shared.start_up import log_warnings


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return the exit code."""
    options = _parser().parse_args(arguments)
    settings = load_settings(MediaSettings)
    configure_logs(settings.log_level, settings.log_format)
    clock, entropy = SystemClock(), SystemEntropy()
    if options.command in {"sweep", "lost"}:
        wiring = Wiring(settings, clock=clock, entropy=entropy)
        try:
            return asyncio.run(_run_on_files(wiring, options))
        except ServiceUnavailable as away:
            print(f"{options.command}: {describe_error(away)}")
            return 1
    if options.command == "previous-link-keys":
        keys = derive_previous_keys(settings.revocation_keys, clock.now())
        print(f"PREVIOUS_LINK_KEYS={','.join(map(str, keys))}")
        return 0
    log_warnings(settings, os.environ)
    if settings.production:
        deny_inspection()
    if options.command == "worker":
        asyncio.run(exit_after(run_worker(Wiring(settings, clock=clock, entropy=entropy))))
        return 0
    keep_freed_chunks()
    run(create_app(settings, clock=clock, entropy=entropy), settings)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m media_service", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="serve the HTTP interface and publish until SIGTERM")
    commands.add_parser(
        "worker", help="publish what falls due, and deliver webhooks, until SIGTERM"
    )
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


async def run_worker(wiring: Wiring) -> None:
    """Publish what falls due, and deliver webhooks, until SIGTERM."""
    with stop_signal() as stop:
        async with (
            wiring.open_database(),
            watch_clock(wiring.clock_check),
            wiring.open_webhook_worker() as deliveries,
            wiring.run_webhooks(deliveries),
        ):
            publisher = wiring.publisher
            async with run_periodically("publishing", publisher.publish_due, pause=publisher.pause):
                await stop.wait()


async def _run_on_files(wiring: Wiring, options: argparse.Namespace) -> int:
    """Run `sweep` or `lost`; return the exit code."""
    async with wiring.open_stores():
        if options.command == "sweep":
            return await _sweep(wiring, timedelta(seconds=options.older_than))
        if options.delete:
            return await delete_lost_pictures(
                wiring.database, wiring.storage, wiring.events, set(options.delete)
            )
        return await list_lost_pictures(wiring.database, wiring.storage)


async def _sweep(wiring: Wiring, older_than: timedelta) -> int:
    """Return 0 when every row has its files, 1 when some are lost."""
    report = await reconcile(wiring.database, wiring.storage, older_than)
    print(
        f"temporary files removed: {report.temp_files_removed}, "
        f"orphans removed: {report.orphans_removed}, files missing: {report.files_missing}"
    )
    return 1 if report.files_missing else 0
