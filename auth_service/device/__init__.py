"""Known devices: a device token gives a device its own limits, and spares it sign-in notices."""
