"""Pure text: bytes to values with places, times and names as people write them, and what an SMS can carry."""
