"""Notices: messages that tell users what happened to their account."""
