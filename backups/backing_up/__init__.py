"""A table into a verified file."""
