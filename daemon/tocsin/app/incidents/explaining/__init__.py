"""Why somebody was asked, and why somebody was not: what an explanation says of one person."""
