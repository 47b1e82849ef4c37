"""Two and three real daemons on one PostgreSQL: kills, stops, cuts and restarts (section 9, rules 52 and 53, R54, R55)."""
