"""Rows against stored rows, by hashes while a load holds the table, by locks while others share it."""
