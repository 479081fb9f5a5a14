"""Backups as their users make them."""
