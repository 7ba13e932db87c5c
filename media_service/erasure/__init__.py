"""Removing everything of users whose account is gone."""
