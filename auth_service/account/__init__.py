"""A user's own account: profile, contacts, export and deletion."""
