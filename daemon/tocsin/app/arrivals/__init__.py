"""What came in from outside is brought to whoever judges it, once, and never holds up a page."""
