"""Deciding whether a file is a whole, bounded image, in processes that may die of it."""
