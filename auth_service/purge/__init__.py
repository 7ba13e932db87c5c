"""Removing what has ended: registrations never proven, tickets, sessions, old events."""
