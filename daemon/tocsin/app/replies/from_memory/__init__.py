"""Which page is meant that left from memory (rule 54)."""
