"""PNG: its size, the file without metadata, and its pixels turned without loss."""
