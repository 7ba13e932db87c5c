"""Recovery codes: how they are made, stored and used."""
