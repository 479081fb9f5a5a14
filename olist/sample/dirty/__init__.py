"""Damages, and the truth about them."""
