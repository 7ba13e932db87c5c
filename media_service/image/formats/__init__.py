"""The five formats: sizes read from headers, files without metadata, options to encode again."""
