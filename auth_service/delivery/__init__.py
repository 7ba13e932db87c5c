"""Messages to people: queued with what they belong to, sent by a worker, never by a handler."""
