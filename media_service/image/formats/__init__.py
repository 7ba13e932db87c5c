"""Taking out of a file what is not the picture, without touching the picture."""
