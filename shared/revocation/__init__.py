"""What is revoked, told to every service: the message, the mirror that holds it, the follower.

Nothing here knows HTTP, so that any asyncio service can use it; `docs/integrate.md` shows how.
"""
