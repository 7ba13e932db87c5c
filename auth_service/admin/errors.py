"""Refusals of administration."""

from shared.errors import Conflict


class OwnAccount(Conflict):
    """An administrator would lock themselves out."""

    advice = "Administrators can neither disable themselves nor drop their own role"


class NotActivated(Conflict):
    """A registration cannot be disabled."""

    advice = "The user has not proven an address yet"


class DeadLetterExpired(Conflict):
    """The dead letter's message is of no use any more."""

    advice = "What the message says is not true any more"
