"""Deliveries: what is sent to the endpoints of webhooks."""
