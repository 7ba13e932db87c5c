"""Products, which users offer with a price and an optional photo."""
