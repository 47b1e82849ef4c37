"""Every seam to the world. Adapters implement these; fakes in `tests/fakes` pass the same suites."""
