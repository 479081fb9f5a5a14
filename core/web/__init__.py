"""Manners of HTTP: what a request may be, how a fault is told, what the schema says of both."""
