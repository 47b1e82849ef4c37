"""One script a schema change, oldest first."""
