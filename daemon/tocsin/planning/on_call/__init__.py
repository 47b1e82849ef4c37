"""Who is on call when: turns, handoffs, hours, and whom the chains reach."""
