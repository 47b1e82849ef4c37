"""Schema migrations, run by `opening`."""
