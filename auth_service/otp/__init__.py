"""One-time codes: a challenge is one code on its way, kept in Redis alone."""
