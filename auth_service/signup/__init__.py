"""Sign-up and sign-in by phone in one flow: ask for a code, send it back."""
