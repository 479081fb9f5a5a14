"""What a request may be: its envelope, records and options."""
