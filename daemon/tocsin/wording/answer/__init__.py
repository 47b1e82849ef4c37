"""The words of our answers to SMS."""
