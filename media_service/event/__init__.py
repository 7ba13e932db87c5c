"""The events of media_service: the outbox of users' webhooks."""
