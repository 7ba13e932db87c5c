"""Administration: find users, disable and enable them, grant roles; dead letters."""
