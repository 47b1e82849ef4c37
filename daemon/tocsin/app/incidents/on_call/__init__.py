"""Who is on call, by rotation and by role, and the calendars of that."""
