"""Where the ledger lies: its file, the room beside it, and what is done when the disk takes either away (rule 64)."""
