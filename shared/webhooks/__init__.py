"""Webhooks: one attempt to deliver a message, and the decision after it."""
