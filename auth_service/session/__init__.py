"""Sessions, one per signed-in device: tokens, cookies, and the authentication of requests."""
