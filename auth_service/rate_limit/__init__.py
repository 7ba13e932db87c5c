"""Every limit of auth_service: one table of scopes, counted by one piece of Lua."""
