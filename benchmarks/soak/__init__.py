"""A soak: clients, backups, restarts and kills at once, and then the question whether anything is missing or double."""
