"""A table out of a file, in one transaction."""
