"""The outbox: one file a message, written and read back."""
