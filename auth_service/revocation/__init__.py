"""Tells every service what is cut off: PostgreSQL first, then the channel."""
