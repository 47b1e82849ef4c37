"""How many clients there may be, how slow and how malformed, and what they are told then.

Slow headers get 408, a reader who does not read is cut off, and where there are too many connections the one that has
waited longest without a whole request goes, of the client that has the most of them. One client has only so many; a
proxy has as many as it likes, and each client that it names only so many requests under way. That stands on what
asyncio calls on a protocol (a connection begins, data came, it is lost) and on what aiohttp makes public.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import LineTooLong

from tocsin.app.arrivals.log_limit import LimitedLog
from tocsin.web.http.clients import Proxies, client_at, client_of
from tocsin.web.http.responses import BUSY, HEADERS, SERVER, sentence

ENDS_WITHIN = 5.0
"""Seconds for requests under way to end when the site stops."""
LINE_MOST = 4096
"""Octets of a request's first line: method and address."""
BACKLOG = 128
"""Connections that the system holds for us before they are accepted."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client may take. Times in seconds, sizes in octets."""

    connections: int = 400
    """Open ones; a process may have 1,024 files by default."""
    of_one_client: int = 40
    """Those of one client; a browser has six or so, and an office stands behind one address."""
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
    """One client's connection to a `server`. Middleware tells it of each request: see `on_connection`."""

    __slots__ = (
        "client",
        "headers_begun",
        "headers_timer",
        "limits",
        "log",
        "proxies",
        "request_under_way",
        "server",
        "waiting_since",
    )

    def __init__(self, server: web.Server, log: LimitedLog, limits: Limits, proxies: Proxies) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(
            server,
            loop=loop,
            access_log=None,  # type: ignore[arg-type]  # what the library itself calls no log
            keepalive_timeout=limits.idle,
            lingering_time=limits.lingers,
            max_line_size=LINE_MOST,
            max_field_size=limits.field,
            max_headers=limits.headers,
            auto_decompress=False,
        )
        self.server, self.log, self.limits, self.proxies = server, log, limits, proxies
        self.client = ""
        """Whose it is now; empty where only a proxy is known."""
        self.request_under_way: web.BaseRequest | None = None
        self.waiting_since = loop.time()
        self.headers_begun = False
        self.headers_timer: asyncio.TimerHandle | None = None

    @property
    def waits(self) -> bool:
        """Whether no request is under way, or one whose body has not come whole."""
        request = self.request_under_way
        return request is None or not request.content.is_eof()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A new one takes the place of one that has waited long, first of its own client's, or is turned away."""
        others = self._others()
        super().connection_made(transport)
        self._await_headers()
        peer = transport.get_extra_info("peername")
        client = client_at(str(peer[0]) if peer else None, self.proxies)
        self.client = "" if client.is_proxy else client.address
        if not self._has_room_for(self.client, others):
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, BUSY)

    def _others(self) -> list["Connection"]:
        connections = (other for other in self.server.connections if isinstance(other, Connection))
        return [other for other in connections if other is not self and other.connected]

    def _has_room_for(self, client: str, others: Sequence["Connection"]) -> bool:
        """Whether there is room for one more of a client, if need be that of one that waits."""
        own = [other for other in others if client and other.client == client]
        if len(own) >= self.limits.of_one_client:
            self.log.warning("connections of one client full", most=self.limits.of_one_client, client=client)
            return _make_room(own)
        if len(others) >= self.limits.connections:
            self.log.warning("connections full", most=self.limits.connections)
            return _make_room(others)
        return True

    def connection_lost(self, exc: BaseException | None) -> None:
        """Nothing is waited for any more."""
        self._headers_came()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """A request that has begun must have whole headers in good time."""
        super().data_received(data)
        if data and self.request_under_way is None and not self.headers_begun:
            self._headers_came()
            self.headers_begun = True
            self._await_headers()

    async def answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """What a request whose headers have come is answered, once it is written."""
        self._headers_came()
        self.request_under_way = request
        of_proxy = not self.client
        try:
            if of_proxy and not self._is_taken(request):
                response: web.StreamResponse = web.Response(text=BUSY, status=HTTPStatus.SERVICE_UNAVAILABLE)
            else:
                response = await handler(request)
            await self._write(request, response)
            return response
        finally:
            if of_proxy:
                self.client = ""
            self.request_under_way = None
            self.waiting_since = asyncio.get_running_loop().time()

    def _is_taken(self, request: web.Request) -> bool:
        """Whether the client that a proxy names may have one more request under way; from now on it is its own."""
        client = client_of(request, self.proxies)
        if client.is_proxy:
            return True
        own = [other for other in self._others() if other.client == client.address]
        if len(own) >= self.limits.of_one_client and not self._has_room_for(client.address, own):
            return False
        self.client = client.address
        return True

    async def _write(self, request: web.Request, response: web.StreamResponse) -> None:
        """Write an answer to a client that takes it; cut off one that does not."""
        try:
            async with asyncio.timeout(self.limits.written_within):
                await response.prepare(request)
                await response.write_eof()
        except ConnectionError:  # gone: aiohttp meets the same again, and ends the connection
            pass
        except TimeoutError:
            self.log.warning("reads too slowly", within=self.limits.written_within)
            if self.transport is not None:
                self.transport.abort()

    def _tell_plainly(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - the library's words are not ours
    ) -> web.StreamResponse:
        """What cannot be read as HTTP, or what we did not foresee, as one plain sentence; the connection ends."""
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR and exc is not None:
            self.log.fault("fault", exc)
        else:
            self.log.warning("not HTTP", trouble=type(exc).__name__)
        if request.writer.output_size > 0:
            raise ConnectionError("the answer has begun already")
        if isinstance(exc, LineTooLong):
            line = exc.args[1] == LINE_MOST
            status = HTTPStatus.REQUEST_URI_TOO_LONG if line else HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        answer = web.Response(text=sentence(status), status=status, headers=HEADERS | {"Server": SERVER})
        answer.force_close()
        return answer

    handle_error = _tell_plainly

    def _await_headers(self) -> None:
        loop = asyncio.get_running_loop()
        self.headers_timer = loop.call_later(self.limits.sent_within, self._too_slow)

    def _headers_came(self) -> None:
        self.headers_begun = False
        if self.headers_timer is not None:
            self.headers_timer.cancel()
            self.headers_timer = None

    def _too_slow(self) -> None:
        if self.headers_begun:
            self.log.warning("too slow", within=self.limits.sent_within)
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, sentence(HTTPStatus.REQUEST_TIMEOUT))
        else:
            self.force_close()

    def _refuse(self, status: HTTPStatus, text: str) -> None:
        """Say why, where nothing was asked for yet, and close."""
        if self.transport is not None:
            head = f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: text/plain; charset=utf-8\r\n"
            tail = f"Content-Length: {len(text.encode())}\r\nConnection: close\r\n\r\n"
            self.transport.write((head + tail + text).encode())
        self.force_close()


def _make_room(connections: Sequence[Connection]) -> bool:
    """Close the one that has waited longest without a whole request, of the client that has the most such; False where
    all are at work. Those of which a proxy has not said yet whose they are count as one client's: a flood begins there.
    """
    waiting = [connection for connection in connections if connection.waits]
    if not waiting:
        return False
    counted = Counter(connection.client for connection in waiting)
    victim = min(waiting, key=lambda connection: (-counted[connection.client], connection.waiting_since))
    victim.force_close()
    return True


@web.middleware
async def on_connection(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer on the request's connection, under its limits. It is the outermost middleware."""
    connection = request.protocol
    return await (connection.answer(request, handler) if isinstance(connection, Connection) else handler(request))


@asynccontextmanager
async def listening(
    app: web.Application, log: LimitedLog, host: str, port: int, proxies: Proxies, limits: Limits = LIMITS
) -> AsyncIterator[Any]:
    """Serve an application on connections of ours; gives the address that is listened on. Raises OSError when it cannot
    be had.
    """
    runner = web.AppRunner(app, handle_signals=False, shutdown_timeout=ENDS_WITHIN)
    await runner.setup()
    try:
        server = runner.server
        assert server is not None
        listener = await asyncio.get_running_loop().create_server(
            lambda: Connection(server, log, limits, proxies), host, port, backlog=BACKLOG
        )
        try:
            yield listener.sockets[0].getsockname()
        finally:
            listener.close()
    finally:
        await runner.cleanup()
