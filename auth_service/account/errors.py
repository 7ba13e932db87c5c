"""Errors of a user's own account."""

from shared.errors import Retriable


class ExportInProgress(Retriable):
    """Another export of the same user still runs."""

    code, status, title = "request_in_progress", 409, "An earlier request still runs"
    advice = "Another export of this account still runs; wait for it"
