"""What the endpoint is measured against, each as its users would write it well, in one short file."""
