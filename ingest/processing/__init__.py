"""WHETHER a record is what it must be: verdicts on whole columns. ``process`` is the way in."""
