"""Floor 3: one outside thing each. Adapters know the ports and the floors below, never each other."""
