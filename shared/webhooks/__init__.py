"""Webhooks: endpoints, the outbox of events, and the delivery of each event to each endpoint."""
