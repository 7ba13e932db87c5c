"""Stores revocations in PostgreSQL, then publishes them to every service through Redis."""
