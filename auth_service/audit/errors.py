"""Refusals that are no events."""


class Unremarkable(Exception):
    """Marks a refusal that concerns nobody: anybody could have any number of them stored.

    Mixed into the refusal, never raised by itself.
    """
