"""One HTTP request to Twilio under the SDK: how far it got, and what came back.

The SDK builds requests and reads good answers. This is its seam for HTTP, so that our deadline holds, the answer's
headers are read, no number is logged, and whoever asked learns whether the request may have left.
"""

import asyncio
import base64
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

import aiohttp
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.http.response import Response

from tocsin.adapters.twilio import responses
from tocsin.domain.delivery import NOT_LEADING
from tocsin.ports.clock import Clock
from tocsin.ports.fence import NO_FENCE, Barrier, Fence, FenceOfTry
from tocsin.ports.transport import CutShortError

ANSWER_WITHIN = 10.0
"""Seconds for a request in all; the SDK's own timeout is not applied."""
CONNECT_WITHIN = 5.0
"""Seconds of those for the connection."""
ANSWER_MOST = 1 << 20
"""Octets of an answer that are read."""
TRY: ContextVar[str] = ContextVar("try", default="")
"""The id of the try that a request is made for, for the fence: nothing can be handed through the SDK."""
HALF_A_SECOND = timedelta(seconds=0.5)
"""How much later than its `Date` an answer was written, on average."""


class AnswerError(Exception):
    """Twilio answered something other than what was asked for."""

    def __init__(self, status: int, text: str, retry_after: str) -> None:
        super().__init__(status)
        self.status, self.text, self.retry_after = status, text, retry_after


class NoAnswerError(Exception):
    """No answer came. `written` tells whether the request may have left."""

    def __init__(self, detail: str, *, written: bool) -> None:
        super().__init__(detail)
        self.detail, self.written = detail, written


class BarredError(Exception):
    """The request was not made: this machine does not lead."""


class _Progress:
    """How far one request got: `written` once it has begun to leave, if the fence lets it."""

    def __init__(self, fence: Barrier) -> None:
        self.fence = fence
        self.written = False


class ProviderTime:
    """How far the provider's clock is ahead of ours, by the `Date` of its newest answer."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.skew: timedelta | None = None

    def now(self) -> datetime:
        """This instant by our clock."""
        return self._clock.now()

    def heard(self, date: str, asked_at: datetime) -> None:
        """An answer to what was asked then bears this `Date`; one that is none says nothing. It was written somewhere
        between the two instants, and to the second.
        """
        try:
            theirs = parsedate_to_datetime(date)
        except (ValueError, TypeError):
            return
        ours = asked_at + (self.now() - asked_at) / 2
        self.skew = theirs.replace(tzinfo=theirs.tzinfo or UTC) + HALF_A_SECOND - ours


class HttpClient(AsyncTwilioHttpClient):  # type: ignore[misc]  # the SDK is not typed
    """The client that the SDK asks by. `base` replaces scheme and host of its addresses; empty: they stay. What creates
    a message leaves only if the `fence` lets it.
    """

    def __init__(self, base: str, time: ProviderTime, fence: Fence = NO_FENCE) -> None:
        trace = aiohttp.TraceConfig()
        trace.on_request_headers_sent.append(_mark_written)
        super().__init__(trace_configs=[trace])
        self._base = base.rstrip("/")
        self._time = time
        self._fence = fence

    async def request(
        self,
        method: str,
        url: str,
        params: dict[str, Any] | None = None,
        data: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        **_ours: Any,
    ) -> Any:
        """Ask once. Raises unless the answer is 2xx and a JSON object. Deadline and redirects are not the caller's.
        Cancelled before what creates a message left, it raises CutShortError.
        """
        creates = method.upper() == "POST"
        fence = FenceOfTry(self._fence, TRY.get()) if creates else NO_FENCE
        progress, asked_at = _Progress(fence), self._time.now()
        try:
            async with self.session.request(
                method.upper(),
                self._rebased(url),
                params=params or None,
                data=urlencode(data).encode() if data else None,  # three times as fast as aiohttp's own forms
                headers={**(headers or {}), **({"Authorization": _basic(*auth)} if auth else {})},
                timeout=aiohttp.ClientTimeout(total=ANSWER_WITHIN, sock_connect=CONNECT_WITHIN),
                allow_redirects=False,
                trace_request_ctx=progress,
            ) as answer:
                text = await _text(answer)
        except asyncio.CancelledError:
            if creates and not progress.written:
                raise CutShortError(NOT_LEADING) from None
            raise
        except TimeoutError:
            raise NoAnswerError(
                f"Twilio did not answer within {ANSWER_WITHIN:.0f} s", written=progress.written
            ) from None
        except (aiohttp.ClientError, OSError, ValueError, RuntimeError) as trouble:  # the last: closed meanwhile
            detail = f"no answer from Twilio: {trouble}"[: responses.DETAIL_MOST]
            raise NoAnswerError(detail, written=progress.written) from None
        if whole := responses.is_object(text):
            self._time.heard(answer.headers.get("Date", ""), asked_at)
        if not (200 <= answer.status < 300 and whole):
            raise AnswerError(answer.status, text, answer.headers.get("Retry-After", ""))
        return Response(answer.status, text, answer.headers)

    def _rebased(self, url: str) -> str:
        if not self._base:
            return url
        parts = urlsplit(url)
        return f"{self._base}{parts.path}" + (f"?{parts.query}" if parts.query else "")


async def _text(answer: aiohttp.ClientResponse) -> str:
    """The answer's text, as far as it is read at all."""
    data = bytearray()
    async for chunk in answer.content.iter_any():
        data += chunk
        if len(data) > ANSWER_MOST:
            break
    return data.decode("utf-8", "replace")


async def _mark_written(_session: aiohttp.ClientSession, context: Any, _sent: Any) -> None:
    """The connection stands, and the request is about to leave. Raises BarredError; then nothing of it does."""
    if not context.trace_request_ctx.fence.holds():
        raise BarredError
    context.trace_request_ctx.written = True


def _basic(user: str, password: str) -> str:
    """The Authorization header; aiohttp's own BasicAuth is deprecated."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
