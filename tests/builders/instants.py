"""When stories begin."""

from datetime import UTC, datetime, timedelta

T0 = datetime(2026, 11, 23, 10, tzinfo=UTC)
"""A Monday morning, 11:00 in Berlin."""
MINUTE = timedelta(minutes=1)
