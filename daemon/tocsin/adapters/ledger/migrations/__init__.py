"""Schema migrations, run by `migrate`."""
