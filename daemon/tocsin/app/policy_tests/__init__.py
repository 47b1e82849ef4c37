"""Policy tests, run and judged."""
