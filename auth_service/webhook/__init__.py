"""Webhooks of operators: what the shared code does not know of their owner and events."""
