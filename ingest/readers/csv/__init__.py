"""Records from CSV, cut so that no byte is lost, whatever the file holds."""
