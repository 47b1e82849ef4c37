"""What a config change does to whom, and by which line."""
