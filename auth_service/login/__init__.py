"""Signing in with an account that exists: by code or by password."""
