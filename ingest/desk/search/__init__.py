"""Finding rejects: filters, lists, groups, counts."""
