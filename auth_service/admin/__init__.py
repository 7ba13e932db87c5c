"""What operators do: find users, keep them out, let them in, say what they may."""
