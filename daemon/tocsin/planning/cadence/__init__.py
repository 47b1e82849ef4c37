"""When a stakeholder group hears: its cadence, and its first word."""
