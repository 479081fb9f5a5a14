"""The site as a whole, as whoever asks finds it."""
