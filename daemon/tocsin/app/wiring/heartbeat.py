"""The dead man's switch, whose library is loaded with its first ping: that takes a while, and few have a switch."""

import asyncio
import importlib


class LateHeartbeat:
    """A port of the health check, Heartbeat."""

    async def ping(self, url: str) -> str:
        """Tell the watcher that we live. Empty when it heard us, else why not. Never raises."""
        try:
            adapter = await asyncio.to_thread(importlib.import_module, "tocsin.adapters.heartbeat")
        except ImportError as fault:  # tocsin was exchanged on disk while it runs
            return f"what pings cannot be loaded ({fault}); restart the daemon"
        why_not: str = await adapter.HttpHeartbeat().ping(url)
        return why_not
