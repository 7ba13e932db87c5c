"""Deliveries of events: links in their bodies, and creatives that no webhook accepts."""
