"""Endpoints: where the owners of webhooks want to be told of events."""
