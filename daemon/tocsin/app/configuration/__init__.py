"""The config loaded, checked, compared, pulled, and started from nothing."""
