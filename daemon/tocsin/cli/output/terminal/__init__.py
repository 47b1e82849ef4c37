"""How output looks on a terminal, and how it is printed there and elsewhere."""
