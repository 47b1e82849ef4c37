"""What follows from how a try ended and from what the provider said of it."""
