"""The config folder's fragments: read, merged, checked, and what `check` advises."""
