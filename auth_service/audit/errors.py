"""Refusals that are no events."""


class NotAudited(Exception):
    """Marks a refusal that concerns nobody: anybody could have any number of them stored.

    Mixed into the refusal, never raised by itself.
    """
