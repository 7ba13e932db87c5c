"""The events of auth_service: the outbox of operators' webhooks."""
