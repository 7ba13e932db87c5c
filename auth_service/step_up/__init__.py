"""Step-up: authenticating again in a session that goes on."""
