"""Recovery codes that are left."""
