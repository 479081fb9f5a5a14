"""Records as the publisher's files have them."""
