"""Entries of the inbox: how they are written, and read with the care that strangers deserve."""
