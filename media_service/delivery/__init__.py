"""Deliveries of webhooks: queued in PostgreSQL, attempted by a worker, listed for their user."""
