"""The words of what the daemon tells the people who run it."""
