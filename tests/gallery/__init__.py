"""The gallery: stories that are data, every message that they bring, as text and as pictures."""
