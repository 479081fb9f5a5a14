"""Something done to many rejects at once: found out in a dry run first, then carried out, in the task worker."""
