"""What falls due today and tomorrow, wherever the caller is."""
