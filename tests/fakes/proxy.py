"""A TCP proxy for tests: it stands between one machine and what that machine needs, and goes wrong as networks do.

    with Proxy("127.0.0.1", 5432) as way: way.port; way.cut(); way.heal()

    cut()           closes every connection, and refuses new ones
    refuse()        refuses new connections; those that stand go on
    silence()       as a firewall that drops: bytes are taken and never arrive, and nothing comes back
    deafen()        one way only: what is said arrives, no answer comes back (a COMMIT of which nobody hears)
    delay(seconds)  each byte takes so long, each way
    hold(*words)    no answer comes back on a connection once these words were said on it, one after the other;
                    `held` is how many connections wait so
    cut_before(words)
                    closes the first connection on which this is said, and it never arrives
    heal()          all is well again; what was held or dropped is gone: those connections are closed, others go on
    release()       what was held back by `hold`, `silence` or `deafen` arrives after all
    lead(host, p)   new connections go there from now on; those that stand are closed

It runs in a thread of its own.
"""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

CHUNK = 1 << 16
ON_THE_ROAD = 64
"""Pieces that are under way at once."""


class Proxy:
    """The proxy. `host` may be the path of a Unix socket; `port` is where it listens, `opened` how many came. One that is
    given its `listener` is never cut.
    """

    def __init__(self, host: str, to_port: int = 0, listener: socket.socket | None = None) -> None:
        self._host, self._to_port, self._listener = host, to_port, listener
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._server: asyncio.Server | None = None
        self._ways: set[_Way] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.there, self.back = _Direction(), _Direction()
        self.words: Sequence[bytes] = ()
        self.unsaid: bytes = b""
        self.opened = 0
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        self._do(self._listen)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._do(self._refuse)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def cut(self) -> None:
        """Close every connection, and refuse new ones."""
        self._do(self._refuse)

    def refuse(self) -> None:
        """Refuse new connections; those that stand go on."""
        self._do(self._close_door)

    def silence(self) -> None:
        """Take bytes from both sides and bring none; new connections come about, and nobody answers there."""
        self.there.open.clear()
        self.back.open.clear()

    def deafen(self) -> None:
        """Bring what is said, and no answer."""
        self.back.open.clear()

    def delay(self, seconds: float) -> None:
        """Each byte takes so long, each way."""
        self.there.delay = self.back.delay = seconds

    def hold(self, *words: str) -> None:
        """Bring no answer on a connection once all of these were said on it, one after the other."""
        self.words = [word.encode() for word in words]

    def cut_before(self, words: str) -> None:
        """Close the first connection on which this is said; it does not arrive."""
        self.unsaid = words.encode()

    @property
    def held(self) -> int:
        """On how many connections all the words of `hold` were said."""
        return sum(way.is_held for way in [*self._ways])

    @property
    def standing(self) -> int:
        """How many connections stand."""
        return len(self._ways)

    def release(self) -> None:
        """Bring all that was held back."""
        self.words = ()
        self._do(self._let_go)

    def lead(self, host: str, port: int) -> None:
        """New connections go to another place from now on; those that stand are closed."""
        self._host, self._to_port = host, port
        self._do(self._drop)

    def heal(self) -> None:
        """All is well from now on; connections of which something was held back are closed."""
        self.delay(0)
        self.words, self.unsaid = (), b""
        self._do(self._mend)

    async def _listen(self) -> None:
        if self._server is None:
            place = {"sock": self._listener} if self._listener else {"host": "127.0.0.1", "port": self.port}
            self._server = await asyncio.start_server(self._serve, **place)
            self.port = self._server.sockets[0].getsockname()[1]

    async def _refuse(self) -> None:
        await self._close_door()
        await self._drop()

    async def _close_door(self) -> None:
        if self._server is not None:
            server, self._server = self._server, None
            for listener in server.sockets:
                self._loop.remove_reader(listener.fileno())
            await asyncio.sleep(0.01)  # what was taken already comes about; asyncio leaks it if its server is closed
            server.close()

    async def _drop(self) -> None:
        for way in [*self._ways]:
            way.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _let_go(self) -> None:
        for way in self._ways:
            way.is_held = False
            way.free.set()
        self.there.open.set()
        self.back.open.set()

    async def _mend(self) -> None:
        for way in [*self._ways]:
            if way.is_held or not (self.there.open.is_set() and self.back.open.is_set()):
                way.close()
        await self._let_go()
        await self._listen()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if self._server is None:  # it came while everything was cut
            writer.transport.abort()
            return
        self._tasks.add(task)
        self.opened += 1
        way = _Way(self, reader, writer)
        self._ways.add(way)
        try:
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await way.run(self._host, self._to_port)
        finally:
            way.close()
            self._ways.discard(way)
            self._tasks.discard(task)

    def _do(self, what: Callable[[], Any]) -> None:
        asyncio.run_coroutine_threadsafe(what(), self._loop).result(10)


class _Direction:
    """What holds for the bytes of all connections one way."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.open.set()
        self.delay = 0.0


class _Way:
    """One connection through it."""

    def __init__(self, proxy: Proxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._proxy, self._reader, self._writer = proxy, reader, writer
        self._beyond: asyncio.StreamWriter | None = None
        self._task = asyncio.current_task()
        self._said, self._awaited = b"", 0
        self.is_held = False
        self.free = asyncio.Event()
        self.free.set()

    async def run(self, host: str, port: int) -> None:
        """Bring bytes both ways, until either side has no more or it is closed."""
        await self._proxy.there.open.wait()
        there, back = self._proxy.there, self._proxy.back
        if host.startswith("/"):
            answers, self._beyond = await asyncio.open_unix_connection(host)
        else:
            answers, self._beyond = await asyncio.open_connection(host, port)
        async with asyncio.TaskGroup() as both:
            both.create_task(self._bring(self._reader, self._beyond, there, self._heed))
            both.create_task(self._bring(answers, self._writer, back, None))

    def close(self) -> None:
        """Close both sides at once."""
        for writer in (self._writer, self._beyond):
            if writer is not None:
                writer.transport.abort()
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()

    async def _bring(
        self,
        source: asyncio.StreamReader,
        target: asyncio.StreamWriter,
        direction: _Direction,
        heed: Callable[[bytes], None] | None,
    ) -> None:
        road = asyncio.Queue[tuple[float, bytes]](ON_THE_ROAD)
        setting_out = asyncio.create_task(self._set_out(source, road, direction))
        try:
            await self._let_arrive(road, target, direction, heed)
        finally:
            setting_out.cancel()
        with contextlib.suppress(OSError):
            target.write_eof()

    async def _let_arrive(
        self,
        road: "asyncio.Queue[tuple[float, bytes]]",
        target: asyncio.StreamWriter,
        direction: _Direction,
        heed: Callable[[bytes], None] | None,
    ) -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                arrives_at, data = await road.get()
                if not data:
                    break
                if (wait := arrives_at - asyncio.get_running_loop().time()) > 0:
                    await asyncio.sleep(wait)
                if heed is not None:
                    if self._proxy.unsaid and self._proxy.unsaid in data:
                        self._proxy.unsaid = b""
                        self.close()
                        return
                    heed(data)
                await direction.open.wait()
                if heed is None:
                    await self.free.wait()
                target.write(data)
                await target.drain()

    async def _set_out(
        self, source: asyncio.StreamReader, road: "asyncio.Queue[tuple[float, bytes]]", direction: _Direction
    ) -> None:
        """Take what is said, as it is said: however long the way, what comes after does not wait for it to arrive."""
        data = b"."
        while data:
            data = b""
            with contextlib.suppress(ConnectionError):
                data = await source.read(CHUNK)
            await road.put((asyncio.get_running_loop().time() + direction.delay, data))

    def _heed(self, data: bytes) -> None:
        """Look for the words of `hold`, also where two reads part one."""
        words = self._proxy.words
        if not words or self.is_held:
            self._said, self._awaited = b"", 0
            return
        self._said += data
        while self._awaited < len(words) and (place := self._said.find(words[self._awaited])) >= 0:
            self._said = self._said[place + len(words[self._awaited]) :]
            self._awaited += 1
        self._said = self._said[-CHUNK:]
        if self._awaited == len(words):
            self.is_held = True
            self.free.clear()
