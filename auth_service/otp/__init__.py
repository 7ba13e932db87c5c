"""One-time codes. A challenge is one sent code; Redis alone stores it."""
