"""The dead man's switch: one GET to an outside watcher that raises the alarm when the pings stop."""

from collections.abc import Mapping

import aiohttp

WORDS: Mapping[type[BaseException], str] = {
    TimeoutError: "no answer in time",
    aiohttp.ServerDisconnectedError: "it hung up",
    aiohttp.TooManyRedirects: "it leads on and on",
    aiohttp.InvalidURL: "the address cannot be asked",
}
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
        except aiohttp.ClientConnectorError as trouble:  # it names the host alone
            return str(trouble)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as trouble:  # most name the address, a secret
            return WORDS.get(type(trouble), type(trouble).__name__)
