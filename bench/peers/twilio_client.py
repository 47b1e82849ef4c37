"""Twilio's own async client alone, sixteen requests at once, without a record of anything."""

import asyncio
import time
from typing import Any

from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.rest import Client

from bench.twilio import ACCOUNT

AT_ONCE = 16
TEXT = "SEV1: Card payments fail. We are investigating. Next update by Fri 06:43 UTC."


class _Here(AsyncTwilioHttpClient):
    """The client's pooled one, to a server of this machine: the way the SDK has for another host."""

    def __init__(self, host: str) -> None:
        super().__init__()
        self._host = host

    async def request(self, method: str, url: str, *more: Any, **named: Any) -> Any:
        """The same request, to the other host."""
        return await super().request(method, url.replace("https://api.twilio.com", self._host), *more, **named)


async def sms(port: int, count: int) -> float:
    """SMS a second."""
    http = _Here(f"http://127.0.0.1:{port}")
    client = Client(ACCOUNT, "secret", http_client=http)
    numbers = iter(range(count))

    async def work() -> None:
        for number in numbers:
            await client.messages.create_async(to=f"+1415555{number:04}", from_="+15005550006", body=TEXT)

    began = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    taken = time.perf_counter() - began
    await http.close()
    return count / taken
