"""Fuzzers of everything that reads what others write: `make fuzz MINUTES=10`, and a sample of each in `make test`."""
