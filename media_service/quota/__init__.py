"""The quota of each user: bytes and uploads, counted in one row that all replicas share."""
