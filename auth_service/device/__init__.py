"""Device tokens: which device asks, so that limits and notices can tell a known one."""
