"""Answers and pages that the ledger did not know of as they came or left (rule 54)."""
