"""Requests that may be repeated: a key of the client's, and the first answer that it got."""
