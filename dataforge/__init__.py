"""Data Forge: the wiring of the site."""
