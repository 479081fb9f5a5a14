"""Kinds of columns: how text becomes a value of each, and how a fault is worded."""
