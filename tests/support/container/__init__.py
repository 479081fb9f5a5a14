"""The files of the container."""
