"""Refusals of administration."""

from shared.errors import Conflict


class OwnAccount(Conflict):
    """An administrator would lock themselves out."""

    def __init__(self) -> None:
        """Name the reason."""
        super().__init__("Administrators can neither disable themselves nor drop their own role")


class NotActivated(Conflict):
    """A registration cannot be disabled."""

    def __init__(self) -> None:
        """Name the reason."""
        super().__init__("The user has not proven an address yet")


class DeadLetterExpired(Conflict):
    """A message has expired."""

    def __init__(self) -> None:
        """Name the reason."""
        super().__init__("What the message says is not true any more")
