"""Idempotency keys: a request that is sent again gets the stored response of the first one."""
