"""What a request may be: its envelope, records, options and idempotency key."""
