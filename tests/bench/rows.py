"""Every row of the table by its name, in the order in which they run."""

from collections.abc import Awaitable, Callable

from tests.bench.bench import Bench
from tests.bench.ceiling import ceiling
from tests.bench.checks import revocation_check, token_check
from tests.bench.disclosure import concealed_timing, password_logins
from tests.bench.downloads import download
from tests.bench.exact import exact_sign_out
from tests.bench.exporting import export
from tests.bench.fairness import fairness
from tests.bench.growth import cost_of_growth
from tests.bench.million import search_million
from tests.bench.outages import redis_away, redis_wiped
from tests.bench.passkey_sign_in import passkey_sign_in
from tests.bench.passkeys import passkey_check
from tests.bench.paths import schedule_read, send_code, verify_code
from tests.bench.processes import processes
from tests.bench.publishing import publishing
from tests.bench.revoking import logout_to_refusal
from tests.bench.starvation import searches_beside
from tests.bench.table import Figure
from tests.bench.uploading import many_uploads, upload
from tests.bench.webhooks import webhooks, webhooks_beside_hanging

Row = Callable[[Bench], Awaitable[list[Figure]]]

ROWS: dict[str, Row] = {
    "ceiling": ceiling,
    "processes": processes,
    "send code": send_code,
    "verify code": verify_code,
    "schedule read": schedule_read,
    "searches beside": searches_beside,
    "cost of growth": cost_of_growth,
    "token check": token_check,
    "revocation check": revocation_check,
    "passkey check": passkey_check,
    "passkey sign-in": passkey_sign_in,
    "fairness": fairness,
    "upload": upload,
    "many uploads": many_uploads,
    "download": download,
    "publishing": publishing,
    "webhooks": webhooks,
    "webhooks beside hanging": webhooks_beside_hanging,
    "logout to refusal": logout_to_refusal,
    "exact sign-out": exact_sign_out,
    "concealed timing": concealed_timing,
    "password logins": password_logins,
    "export": export,
    "redis away": redis_away,
    "redis wiped": redis_wiped,
    "search in a million": search_million,
}
BY_NAME_ALONE = frozenset({"search in a million"})
"""Rows that take minutes: they run when they are named."""
