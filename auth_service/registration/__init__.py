"""Registration: somebody claims an address, and proves it."""
