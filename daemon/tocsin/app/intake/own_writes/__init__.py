"""What the daemon writes into incident files so that nothing of what others wrote there is lost (P9)."""
