"""Policy tests and the scripts they play, read."""
