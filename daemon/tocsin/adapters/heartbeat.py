"""The dead man's switch: one GET to an outside watcher that raises the alarm when the pings stop."""

import aiohttp

PATIENCE = 10.0
"""Seconds for one ping in all."""


class HttpHeartbeat:
    """Pings over HTTP; a new connection each time, because a minute is longer than most servers keep one."""

    async def ping(self, url: str) -> str:
        """Tell the watcher that we live. Empty when it heard us, else why not. Never raises."""
        try:
            timeout = aiohttp.ClientTimeout(total=PATIENCE)
            async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as answer:
                return "" if answer.status < 400 else f"it answered {answer.status}"
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as trouble:
            return str(trouble) or type(trouble).__name__
