"""Backups by the clock."""
