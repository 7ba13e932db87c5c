"""Who somebody is: the user as stored and as shown."""
