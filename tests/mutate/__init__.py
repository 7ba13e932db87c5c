"""`make mutate`: switches each safeguard off, and tells which test notices."""
