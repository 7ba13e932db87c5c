"""Messages to users: queued by the change that causes them, sent by a worker."""
