"""Incident files come in: which incident a file is, whether it is whole, what is told about it."""
