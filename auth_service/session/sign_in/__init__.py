"""Signing in: the one place that creates sessions, whatever the first factor was."""
