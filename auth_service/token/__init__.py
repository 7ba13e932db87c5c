"""Tokens that the database knows by their hashes."""
