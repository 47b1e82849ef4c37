"""What this machine remembers beside a ledger that it shares, and how the ledger is given what it lacks of that."""
