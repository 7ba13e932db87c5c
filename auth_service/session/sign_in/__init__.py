"""Where a session is created, whatever the first factor was."""
