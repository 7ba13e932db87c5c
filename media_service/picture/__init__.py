"""Pictures: what creatives and products have in the store, sent, let go of and reconciled."""
