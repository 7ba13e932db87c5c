"""Proving again who one is, in a session that goes on."""
