"""Records, rules and verdicts for the rulebook."""
