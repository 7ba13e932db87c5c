"""The events of media_service that webhooks are told of: the outbox."""
