"""From start to drain: settings, the config in force, health, logs."""
