"""Floor 1: pure text in, (value, problems) out. Nothing here raises on bad input or opens a file."""
