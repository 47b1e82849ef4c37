"""Floor 1: pure functions, facts in, Plan out. No I/O, no clock, no randomness, no async; `now` is a parameter."""
