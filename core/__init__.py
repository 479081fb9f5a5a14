"""The ground: what every app stands on, and what knows none of them."""
