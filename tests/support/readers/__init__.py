"""Files from text."""
