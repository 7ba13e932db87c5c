"""Audit events: security events of accounts, which are only ever added."""
