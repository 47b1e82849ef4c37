"""What people would use instead, run as they would run it: each is started here, and asked for the same."""
