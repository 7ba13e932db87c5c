"""Lets people in by a code, issues their tokens, and cuts them off."""
