"""Code that both services use. It has no feature, and imports neither service."""
