"""Pictures, of creatives and products: served, deleted, and reconciled with the store."""
