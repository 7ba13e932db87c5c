"""Passkeys: what browsers and apps are asked for, and the verification of what they send."""
