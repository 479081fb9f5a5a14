"""Signs: what a file as a whole shows of how its text is meant, and its records read by that."""
