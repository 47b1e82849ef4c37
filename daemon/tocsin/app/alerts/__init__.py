"""Alertmanager's notifications become incident files."""
