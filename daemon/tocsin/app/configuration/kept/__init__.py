"""The last good config as the ledger keeps it: who vouches for it, and what of it counts."""
