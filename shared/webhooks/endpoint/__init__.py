"""Endpoints: the addresses to which owners have events sent."""
