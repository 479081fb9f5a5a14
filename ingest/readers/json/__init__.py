"""Records from JSON, by their exact text."""
