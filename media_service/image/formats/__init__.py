"""The six formats: sizes read from headers, files without metadata, options to encode again."""
