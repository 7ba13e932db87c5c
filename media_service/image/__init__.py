"""Validates, cleans and resizes images, in processes that a hostile file may kill."""
