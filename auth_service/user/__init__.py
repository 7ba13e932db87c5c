"""The user, as stored and in answers."""
