"""Closed incidents go once they are old enough, and people are forgotten: the ledger as its upkeep sees it."""
