"""The load as its users run it."""
