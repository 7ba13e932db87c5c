"""Who is calling: a signed token, and a mirror of what was revoked; nobody is asked."""
