"""`tocsin.yaml`, the environment and credentials: the daemon's own settings."""
