"""Refusals that leave no audit event."""


class NotAudited(Exception):
    """Marks a refusal that concerns no account: anyone could cause any number of them.

    A mix-in of the refusal's class, never raised by itself.
    """
