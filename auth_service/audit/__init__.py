"""What happened to whom, by whom, from where: events that are only ever added."""
