"""Second factors: enrolling them, and proving one after the first factor of a sign-in."""
