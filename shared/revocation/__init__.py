"""Revocations as every service sees them: the message, the cache, the subscriber.

This package knows no HTTP, so that any asyncio service can use it; `docs/integrate.md` shows how.
"""
