"""What we write: words for decisions. Pure; may know planning, never `formats`."""
