"""S3: which server the environment names, how it is spoken to, and what its faults mean."""
