"""Webhooks of users: what the shared code does not know of their owners and events."""
