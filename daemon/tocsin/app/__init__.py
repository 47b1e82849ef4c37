"""Floor 4: asyncio lives here. Wiring, reconcile, deliver, scheduler, lifecycle."""
