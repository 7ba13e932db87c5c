"""Refusals of administration."""

from shared.errors import Conflict


class OwnAccount(Conflict):
    """An administrator would lock themselves out."""

    def __init__(self) -> None:
        """Say what is refused."""
        super().__init__("Administrators can neither disable themselves nor drop their own role")


class NotActivated(Conflict):
    """A registration has nothing to be kept out of."""

    def __init__(self) -> None:
        """Say what is refused."""
        super().__init__("The user has not proven an address yet")


class NoLongerTrue(Conflict):
    """A message's life has ended."""

    def __init__(self) -> None:
        """Say why it is not sent."""
        super().__init__("What the message says is not true any more")
