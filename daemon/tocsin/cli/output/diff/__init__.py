"""What `tocsin diff` prints."""
