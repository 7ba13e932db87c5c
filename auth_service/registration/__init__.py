"""Registration: a person claims an address, and a code proves it."""
