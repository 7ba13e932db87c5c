"""media_service: pictures that are taken in safely and fall due on the right day."""
