"""What both services stand on: no feature lives here, and nothing here knows a service."""
