"""Signing in as oneself (P8): who asks, the code that goes to them, the session that follows, and its end."""
