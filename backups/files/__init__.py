"""Backup files: Parquet, the manifest beside it, and the stores that hold them."""
