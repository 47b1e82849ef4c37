"""The words of one message to one reader."""
