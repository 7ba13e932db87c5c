"""What a user may send and store: counted in one row each, whichever replica they talk to."""
