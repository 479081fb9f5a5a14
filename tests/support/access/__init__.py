"""Those who may come in."""
