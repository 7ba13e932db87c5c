"""Passwords: which ones are taken, how they are kept, and how they are replaced."""
