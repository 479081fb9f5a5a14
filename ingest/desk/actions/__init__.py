"""What a person does to rejects, and may do."""
