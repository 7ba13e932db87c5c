"""Purging expired rows: registrations, tickets, sessions, old events."""
