"""Clients of the HTTP API, and services for them."""
