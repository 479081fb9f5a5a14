"""The reject desk: see, understand, repair and replay refused records. The admin's pages are thin over it."""
