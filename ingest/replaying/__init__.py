"""Rejects again: as they were sent or corrected, one by one or as their parents come."""
