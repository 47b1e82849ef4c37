"""The plan played ahead on a clock that jumps."""
