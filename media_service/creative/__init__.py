"""Creatives: images with a day on which they are to go out."""
