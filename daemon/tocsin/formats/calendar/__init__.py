"""iCalendar, in both directions: rotations that live in a calendar, and the on-call feed."""
