"""The embedded stack: real PostgreSQL and Valkey from wheels, both services, one address."""
