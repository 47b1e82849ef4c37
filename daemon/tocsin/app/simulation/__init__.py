"""The plan played forward, for an incident file or for a history."""
