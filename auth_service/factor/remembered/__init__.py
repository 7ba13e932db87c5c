"""Remembered devices: they sign in without the second factor for some days."""
