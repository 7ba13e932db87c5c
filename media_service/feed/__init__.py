"""Calendar feeds: a user's creatives at a secret address, for calendar programs."""
