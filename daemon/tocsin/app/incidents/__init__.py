"""What commands and pages ask about incidents, and how they write them."""
