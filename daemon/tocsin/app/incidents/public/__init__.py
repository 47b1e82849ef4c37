"""Incidents as outsiders look them up."""
