"""The three paths that have a floor: send a code, verify it, read the schedule."""

from collections.abc import Callable
from itertools import count

from tests.bench.bench import Bench
from tests.bench.child import Child
from tests.bench.launcher import CODE
from tests.bench.paired import Side, compare, interleave
from tests.bench.raw_http import render
from tests.bench.seed import EACH, FRESH_NUMBER, number, user_id
from tests.bench.table import Figure

SIGNUP = "/v1/auth/signup"
SCHEDULE = "/v1/media/scheduled"
FASTEST = 15_000  # requests a second that no side reaches here
FASTEST_VERIFY = 4_500
CALLERS = 1_000
ASK_SECONDS = 30.0


def _asking(path: str, numbers: list[str]) -> list[bytes]:
    return [
        render("POST", path, body={"name": "Asha", "phone_number": number}) for number in numbers
    ]


def _proving(path: str, numbers: list[str]) -> list[bytes]:
    return [render("POST", path, body={"phone_number": number, "otp": CODE}) for number in numbers]


async def send_code(bench: Bench) -> list[Figure]:
    """POST /signup that asks, each time for a number that nobody has asked for."""
    wanted = int(bench.options.seconds * FASTEST)

    def requests(path: str) -> Callable[[], list[bytes]]:
        turns = count()

        def fresh() -> list[bytes]:
            first = FRESH_NUMBER + next(turns) * wanted
            return _asking(path, [f"+91{first + index}" for index in range(wanted)])

        return fresh

    with bench.stack.auth(module="tests.bench.launcher") as auth, bench.stack.floors() as floors:
        real, floor = interleave(
            bench.generator,
            Side(auth, requests(SIGNUP), expect=202, once=True),
            Side(floors, requests("/send"), expect=202, once=True),
            rounds=bench.options.rounds,
            seconds=bench.options.seconds,
        )
    return [compare("send code", real, floor, 0.60)]


class Visitors:
    """Users who ask before each turn, unmeasured, and prove within it; each turn the next ones."""

    def __init__(self, bench: Bench, server: Child, ask: str, prove: str, users: int) -> None:
        self._bench = bench
        self._users = users
        self._server = server
        self._ask, self._prove = ask, prove
        self._next = 0
        self._numbers: list[str] = []

    def ask(self) -> None:
        wanted = int(self._bench.options.seconds * FASTEST_VERIFY)
        users = self._users
        places = [(self._next + index) % users for index in range(min(wanted, users))]
        self._next = places[-1] + 1
        self._numbers = [number(place) for place in places]
        requests = _asking(self._ask, self._numbers)
        port = self._server.port
        self._bench.generator.run(port, requests, seconds=ASK_SECONDS, expect=202, once=True)

    def prove(self) -> list[bytes]:
        return _proving(self._prove, self._numbers)

    def side(self) -> Side:
        return Side(self._server, self.prove, expect=200, once=True, prepare=self.ask)


async def verify_code(bench: Bench) -> list[Figure]:
    """POST /signup with the right code, by users who have an account and a known device."""
    users = bench.options.users
    await bench.seeds.users(users)
    with bench.stack.auth(module="tests.bench.launcher") as auth, bench.stack.floors() as floors:
        real, floor = interleave(
            bench.generator,
            Visitors(bench, auth, SIGNUP, SIGNUP, users).side(),
            Visitors(bench, floors, "/send", "/verify", users).side(),
            rounds=bench.options.rounds,
            seconds=bench.options.seconds,
        )
    return [compare(f"verify code, {bench.options.users:,} users", real, floor, 0.65)]


def callers(bench: Bench, creatives: int) -> list[str]:
    """Tokens of at most a thousand owners of so many creatives, of sessions that are theirs alone.

    A seeded session may have been ended by another row, and what is revoked stays revoked.
    """
    owners = creatives // EACH
    step = max(1, owners // CALLERS)
    mint = bench.stack.mint()
    return [mint.token(user_id(owner)) for owner in range(0, owners, step)]


def reading(path: str, tokens: list[str]) -> Callable[[], list[bytes]]:
    rendered = [render("GET", path, token=token) for token in tokens]
    return lambda: rendered


async def schedule_read(bench: Bench) -> list[Figure]:
    """GET /scheduled: 20 creatives of a thousand callers, each seen before."""
    tokens = callers(bench, bench.options.creatives)
    with (
        bench.stack.auth(),  # without it there is no epoch, and no token counts
        bench.stack.media() as media,
        bench.stack.floors() as floors,
    ):
        # Only now: media_service has looked through what is stored, and these rows have no files.
        await bench.seeds.creatives(bench.options.creatives)
        real, floor = interleave(
            bench.generator,
            Side(media, reading(SCHEDULE, tokens), expect=200),
            Side(floors, reading("/schedule", tokens), expect=200),
            rounds=bench.options.rounds,
            seconds=bench.options.seconds,
        )
    await bench.seeds.no_creatives()
    name = f"schedule read, {EACH} of {bench.options.creatives:,}"
    return [compare(name, real, floor, 0.70)]
