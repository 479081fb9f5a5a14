"""Rejects for tests of what becomes of them."""
