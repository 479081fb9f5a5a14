"""Locks: of tables for one transaction, and advisory ones for as long as their owner lives."""
