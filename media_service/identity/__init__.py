"""Authenticates callers by signed tokens and a local copy of all revocations."""
