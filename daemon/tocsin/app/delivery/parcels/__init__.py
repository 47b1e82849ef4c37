"""What leaves as one message, each letter of it through its tries."""
