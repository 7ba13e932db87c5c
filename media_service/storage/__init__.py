"""Stores files: object keys, the interface of a store, local directories and S3 buckets."""
