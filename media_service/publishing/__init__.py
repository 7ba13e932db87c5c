"""Publishes creatives when they fall due."""
