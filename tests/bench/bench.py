"""What every row is given."""

from dataclasses import dataclass
from pathlib import Path

from tests.bench.generator import Generator
from tests.bench.seed import Seeds
from tests.bench.stack import Stack


@dataclass(frozen=True)
class Options:
    """What the command line says. `seconds`: of one turn of one side."""

    rows: tuple[str, ...] = ()
    seconds: float = 1.5
    rounds: int = 5
    users: int = 100_000
    creatives: int = 100_000
    sign_outs: int = 3_300
    outage: float = 10
    fault: str = "freeze"
    json: Path = Path("var/bench.json")
    profiles: Path | None = None


@dataclass(frozen=True)
class Bench:
    """The running stack, the load generator and what is in the databases."""

    options: Options
    stack: Stack
    generator: Generator
    seeds: Seeds
