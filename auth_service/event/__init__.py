"""The events of auth_service that operators' webhooks are told of: the outbox."""
