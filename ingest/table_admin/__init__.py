"""Any table in the admin: to look at, not to touch, fast on any number of rows."""
