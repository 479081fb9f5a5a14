"""Finding rejects: filters, lists, likenesses, counts."""
