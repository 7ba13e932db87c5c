"""Purging expired rows: registrations, tickets, sessions, unconfirmed factors, old events."""
