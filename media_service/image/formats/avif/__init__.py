"""AVIF: the file with everything but the picture overwritten."""
