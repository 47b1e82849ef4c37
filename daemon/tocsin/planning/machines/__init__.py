"""Several machines: what is decided of who leads."""
