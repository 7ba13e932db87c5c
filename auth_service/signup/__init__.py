"""Sign-up and sign-in by phone in one flow: request a code, send it back."""
