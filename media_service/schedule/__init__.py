"""The creatives that fall due today and tomorrow in a time zone."""
