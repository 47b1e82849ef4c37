"""What is kept, as `tables`; facts and outcomes become JSON in `codec`, everything else rows in `rows`, and back."""
