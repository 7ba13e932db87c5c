"""What is revoked, told to every service: the message, the mirror that holds it, the follower.

Nothing here knows HTTP, so that any asyncio service can use it:

    verifier = TokenVerifier(issuer, audience, SystemClock())
    async with following(redis_url, keys, SystemClock()) as mirror:
        claims = verifier.verify(token)
        mirror.check(claims)
"""
