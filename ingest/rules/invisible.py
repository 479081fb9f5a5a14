"""Characters that nobody sees and that make another value of a text: no id, name or choice may hold one, prose may."""

# Zero-width space, marks and embeddings of direction, word joiner, isolates, byte-order mark: the inside of a class of
# a regular expression. The two joiners (U+200C, U+200D) are letters' business in some scripts, and are none of these.
INVISIBLE = "\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff"
