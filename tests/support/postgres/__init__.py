"""Wires to a server that can be cut."""
