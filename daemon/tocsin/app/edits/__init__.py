"""Edits of incidents that come from afar: what they would do, how they are judged, and what is then true."""
