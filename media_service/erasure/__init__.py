"""Deletes everything of users whose account was deleted."""
