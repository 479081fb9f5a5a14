"""Data Forge: wiring, and the floor that every app stands on."""

__version__ = "0.1.0"
