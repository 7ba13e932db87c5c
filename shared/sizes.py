"""Sizes for people."""

_KILO, _MEGA = 1000, 1_000_000


def show_size(count: int, *, round_up: bool = False) -> str:
    """Return a number of bytes in MB or kB, as file managers show it.

    A limit is rounded down and what exceeds it up, so that the two never look equal.
    """
    unit, name = (_MEGA, "MB") if count >= _MEGA else (_KILO, "kB")
    tenths = -(-count * 10 // unit) if round_up else count * 10 // unit
    return f"{tenths / 10:,.10g} {name}"
