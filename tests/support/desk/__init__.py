"""People at the admin, its pages as they see them."""
