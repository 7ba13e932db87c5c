"""Webhooks of users: their endpoints, and what is delivered to them."""
