"""Events: the outbox, from which deliveries are queued."""
