"""Products: what a user offers, with a price and perhaps a photo."""
