"""What the schema says of the API."""
