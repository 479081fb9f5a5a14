"""Hashes of rows as PostgreSQL has them: what proves that a file and a table are one."""
