"""The databases' migrations in dbmate's file format, and the runner that applies them."""
