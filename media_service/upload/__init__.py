"""Taking an image in: a multipart body, streamed to a staged file, checked, kept, written down."""
