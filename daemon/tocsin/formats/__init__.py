"""What is written to us, read: text in, (value, problems) out, never raising. Knows nothing of `wording`."""
