"""Refused records: described as columns, stored, merged with those known, linked, pruned."""
