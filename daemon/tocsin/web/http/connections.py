"""Connections: how many clients there may be, how slow and how malformed, and what they are told then.

It decides when a connection ends: slow headers get 408, a reader who does not read is cut off, and where there are too
many the one that has waited longest without a whole request goes. It must not know what is asked for.
"""

import asyncio
from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import web
from aiohttp.http_exceptions import LineTooLong

from tocsin.web.http.log_limit import Sayings
from tocsin.web.http.responses import BUSY, HEADERS, SERVER, sentence

ENDS_WITHIN = 5.0
"""Seconds for requests under way to end when the site stops."""
LINE_MOST = 4096
"""Octets of a request's first line: method and address."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client may take. Times in seconds, sizes in octets."""

    connections: int = 400
    """Open ones; a process may have 1,024 files by default."""
    sent_within: float = 10.0
    """A request's first line and headers: of a new connection from its start, else from the first octet."""
    written_within: float = 15.0
    """For a client to take an answer."""
    idle: float = 75.0
    """For which a connection may wait for its next request: longer than a proxy keeps one."""
    lingers: float = 2.0
    """In which the rest of a body that nobody wants is read and dropped."""
    field: int = 8192
    """One header."""
    headers: int = 64
    """How many headers a request has."""


LIMITS = Limits()


class Connection(web.RequestHandler):
    """One client's connection."""

    __slots__ = ("_began", "_limits", "_patience", "_sayings")

    def __init__(self, manager: "Listener", sayings: Sayings, limits: Limits) -> None:
        super().__init__(
            manager,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type]  # what the library itself calls no log
            keepalive_timeout=limits.idle,
            lingering_time=limits.lingers,
            max_line_size=LINE_MOST,
            max_field_size=limits.field,
            max_headers=limits.headers,
            auto_decompress=False,
        )
        self._sayings = sayings
        self._limits = limits
        self._patience: asyncio.TimerHandle | None = None
        self._began = False

    @property
    def waits(self) -> bool:
        """Whether it has no whole request under way."""
        return not self._request_in_progress and not self._messages

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A new one takes the place of the one that has waited longest, or is turned away."""
        assert self._manager is not None
        others = [each for each in self._manager.connections if isinstance(each, Connection)]
        super().connection_made(transport)
        self._be_patient()
        if len(others) >= self._limits.connections:
            self._sayings.say("connections full", most=self._limits.connections)
            longest = next((each for each in others if each.waits), None)
            if longest is not None:
                longest.force_close()
            else:
                self._end(HTTPStatus.SERVICE_UNAVAILABLE, BUSY)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Nothing is waited for any more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """What has begun must be whole in good time."""
        super().data_received(data)
        if not self.waits:
            self._stop_waiting()
        elif data and not self._began:
            self._stop_waiting()
            self._began = True
            self._be_patient()

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Write the answer to a client that takes it; cut off one that does not."""
        self._stop_waiting()
        cut = self._loop.call_later(self._limits.written_within, self._cut)
        try:
            return await super().finish_response(request, resp, start_time)
        finally:
            cut.cancel()

    def _tell_plainly(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - the library's words are not ours
    ) -> web.StreamResponse:
        """What cannot be read as HTTP, or what we did not foresee, as one plain sentence; the connection ends."""
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR and exc is not None:
            self._sayings.fault("fault", exc)
        else:
            self._sayings.say("not HTTP", trouble=type(exc).__name__)
        if request.writer.output_size > 0:
            raise ConnectionError("the answer has begun already")
        if isinstance(exc, LineTooLong):
            line = exc.args[1] == LINE_MOST
            status = HTTPStatus.REQUEST_URI_TOO_LONG if line else HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        answer = web.Response(text=sentence(status), status=status, headers=HEADERS | {"Server": SERVER})
        answer.force_close()
        return answer

    handle_error = _tell_plainly

    def _be_patient(self) -> None:
        self._patience = self._loop.call_later(self._limits.sent_within, self._too_slow)

    def _stop_waiting(self) -> None:
        self._began = False
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _too_slow(self) -> None:
        self._patience = None
        if self.waits and self._began:
            self._sayings.say("too slow", within=self._limits.sent_within)
            self._end(HTTPStatus.REQUEST_TIMEOUT, sentence(HTTPStatus.REQUEST_TIMEOUT))
        elif self.waits:
            self.force_close()

    def _end(self, status: HTTPStatus, text: str) -> None:
        """Say why, where nothing was asked for yet, and close."""
        if self.transport is not None:
            head = f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: text/plain; charset=utf-8\r\n"
            tail = f"Content-Length: {len(text.encode())}\r\nConnection: close\r\n\r\n"
            self.transport.write((head + tail + text).encode())
        self.force_close()

    def _cut(self) -> None:
        if self.transport is not None:
            self._sayings.say("reads too slowly", within=self._limits.written_within)
            self.transport.abort()


class Listener(web.Server):
    """Makes our kind of connection, with its limits."""

    def __init__(self, made: web.Server, sayings: Sayings, limits: Limits) -> None:
        super().__init__(made.request_handler, request_factory=made.request_factory)
        self._sayings = sayings
        self._limits = limits

    def __call__(self) -> Connection:
        """A new connection."""
        return Connection(self, self._sayings, self._limits)


class Runner(web.AppRunner):
    """Runs an application on our kind of connections."""

    __slots__ = ("_limits", "_sayings")

    def __init__(self, app: web.Application, sayings: Sayings, limits: Limits = LIMITS) -> None:
        super().__init__(app, handle_signals=False, access_log=None, shutdown_timeout=ENDS_WITHIN)
        self._sayings = sayings
        self._limits = limits

    async def _make_server(self) -> web.Server:
        return Listener(await super()._make_server(), self._sayings, self._limits)
