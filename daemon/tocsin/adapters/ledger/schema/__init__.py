"""What is kept, as `tables`; facts and outcomes become JSON in `codec`, everything else rows in `rows`, and back."""

SCHEMA = "0010"
"""The newest of the scripts in `migrations/versions`."""
