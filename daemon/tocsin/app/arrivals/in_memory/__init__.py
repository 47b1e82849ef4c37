"""What is judged while the ledger cannot take it (rule 54)."""
