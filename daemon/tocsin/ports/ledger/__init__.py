"""The seams to the ledger: one small protocol for each group of its readers."""
