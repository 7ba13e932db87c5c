"""Signed-in devices: their sessions, the tokens of each, and who is calling."""
