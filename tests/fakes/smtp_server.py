"""A mail server for tests: real SMTP over loopback with STARTTLS and AUTH, faults on demand, and a log of the truth.

In a test:      async with Relay() as relay: relay.next("rcpt", "550 5.1.1 no such user"); …; relay.arrived
As a process:   python -m tests.fakes.smtp_server [--tls starttls|tls|none] [--user U --password P] [--log FILE]
                    [--rate N [--over REPLY]] [--points FILE] [--step-by-step]
                prints {"port": …, "ca_file": …}; each line on stdin is a fault: {"phase", "fault", "times", "to"}
                (times null: for ever; to: only at mails to that address, for rcpt, data and dot), or {"away": true},
                which closes the port and every connection until {"away": false}, or {"go": true} (see `hold`);
                each mail that truly arrived is a line of JSON in FILE, each line that it was told one of --points.

Phases: connect ehlo offer starttls auth mail rcpt data body dot. A fault is a reply ("451 later") or
    hide        (only at offer) say nothing of STARTTLS
    drop        close the connection without a reply (at the dot: the mail has arrived)
    lose        the same, but at the dot the mail has not arrived
    hang        never reply
    slow N …    wait N seconds, then do the rest: "slow 2 drop", "slow 2 250 ok"; alone: the usual reply
    hold …      wait until it is told to go on, then do the rest; that it waits is a line of --points, {"held": phase}
Mails beyond `rate` a second wait at the dot, or are answered there with `over` ("451 4.7.1 too fast") and have not
arrived.
"""

import argparse
import asyncio
import base64
import json
import ssl
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.fakes.certificates import Authority
from tests.fakes.faults import Faults, Holds, Rate
from tests.fakes.orders import orders, say

PHASES = ("connect", "ehlo", "offer", "starttls", "auth", "mail", "rcpt", "data", "body", "dot")


@dataclass(frozen=True)
class Arrived:
    """One mail that truly arrived."""

    at: float
    sender: str
    to: str
    data: bytes
    tls: bool
    login: str
    connection: int
    options: str


class OverError(Exception):
    """The dialogue is over."""


class Relay:
    """The server. `arrived` is the truth; `connections` counts dialogues begun, `logins` tries to log in; `commands` are
    the lines that it was told, each with the number of its connection.
    """

    def __init__(
        self,
        *,
        tls: ssl.SSLContext | None = None,
        at_once: bool = False,
        user: str = "",
        password: str = "",
        smtputf8: bool = True,
        pipelining: bool = True,
        log: Path | None = None,
        rate: float = 0.0,
        over: str = "",
        points: Path | None = None,
    ) -> None:
        self._tls, self._at_once = tls, at_once
        self._user, self._password = user, password
        self._offers = ["SMTPUTF8"] * smtputf8 + ["PIPELINING"] * pipelining
        self._log = log
        self.faults = Faults(PHASES)
        self.rate, self.over = Rate(rate), over
        self.holds = Holds(points)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._dialogues: set[asyncio.Task[None]] = set()
        self.arrived: list[Arrived] = []
        self.commands: list[tuple[int, str]] = []
        self.connections = 0
        self.logins = 0
        self.port = 0

    def next(self, phase: str, fault: str, times: int = 1, to: str = "") -> None:
        """So many times, one after the other, this phase goes wrong so (at mails to that address)."""
        self.faults.next(phase, fault, times, to)

    def always(self, phase: str, fault: str, to: str = "") -> None:
        """From now on this phase goes wrong so (at mails to that address); an empty fault ends that."""
        self.faults.always(phase, fault, to)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self, port: int = 0) -> None:
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", port or self.port, ssl=self._tls if self._at_once else None, limit=2**20
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        self.drop_all()
        for dialogue in self._dialogues:
            dialogue.cancel()
        await asyncio.gather(*self._dialogues, return_exceptions=True)

    def drop_all(self) -> None:
        """Close every connection, as a relay does with idle ones."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    @property
    def open(self) -> int:
        """How many connections stand now."""
        return len(self._writers)

    def say_unasked(self, line: str) -> None:
        """Say something on every connection that nobody has asked for."""
        for writer in self._writers:
            writer.write(line.encode() + b"\r\n")

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._dialogues.add(task)
        self._writers.add(writer)
        self.connections += 1
        try:
            await _Dialogue(self, reader, writer, self.connections).run()
        except (OverError, ConnectionError, ssl.SSLError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._dialogues.discard(task)
            self._writers.discard(writer)
            writer.transport.abort()

    def record(self, arrived: Arrived) -> None:
        self.arrived.append(arrived)
        if self._log is not None:
            line = {**arrived.__dict__, "data": arrived.data.decode("utf-8", "backslashreplace")}
            with self._log.open("a") as file:
                file.write(json.dumps(line) + "\n")

    def knows(self, user: str, password: str) -> bool:
        self.logins += 1
        return (user, password) == (self._user, self._password)

    @property
    def tls(self) -> ssl.SSLContext | None:
        return None if self._at_once else self._tls

    @property
    def wants_login(self) -> bool:
        return bool(self._user)

    @property
    def extensions(self) -> list[str]:
        return ["8BITMIME", "SIZE 10000000", *self._offers]


class _Dialogue:
    def __init__(self, relay: Relay, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        self.relay, self.reader, self.writer, self.number = relay, reader, writer, number
        self.secure = writer.get_extra_info("sslcontext") is not None
        self.login = self.sender = self.to = self.options = ""

    async def run(self) -> None:
        await self._answer("connect", "220 test relay")
        while True:
            line = (await self.reader.readuntil(b"\r\n")).decode("utf-8", "replace").strip()
            self.relay.commands.append((self.number, line))
            self.relay.holds.note(connection=self.number, told=line)
            verb = line.split(" ")[0].upper()
            match verb:
                case "EHLO" | "HELO":
                    await self._hello()
                case "STARTTLS":
                    await self._answer("starttls", "220 go ahead")
                    assert self.relay.tls is not None
                    await self.writer.start_tls(self.relay.tls)
                    self.secure = True
                case "AUTH":
                    await self._auth(line)
                case "MAIL":
                    login_wanted = self.relay.wants_login and not self.login
                    self.sender, self.to, self.options = _path(line), "", line.partition(">")[2].strip()
                    await self._answer("mail", "530 5.7.0 log in first" if login_wanted else "250 ok")
                case "RCPT":
                    before, self.to = self.to, _path(line)
                    if not await self._answer("rcpt", "250 ok"):
                        self.to = before
                case "DATA":
                    if await self._answer("data", "354 go on" if self.to else "554 nobody to send to"):
                        await self._mail()
                case "RSET":
                    self.sender = self.to = ""
                    await self._say("250 ok")
                case "QUIT":
                    await self._say("221 bye")
                    raise OverError
                case _:
                    await self._say("250 ok" if verb == "NOOP" else "502 what?")

    async def _hello(self) -> None:
        lines = ["test relay", *self.relay.extensions]
        if self.relay.tls is not None and not self.secure and self.relay.faults.take("offer") != "hide":
            lines.append("STARTTLS")
        if self.relay.wants_login:
            lines.append("AUTH PLAIN LOGIN")
        await self._answer("ehlo", "\r\n".join([*(f"250-{line}" for line in lines[:-1]), f"250 {lines[-1]}"]))

    async def _auth(self, line: str) -> None:
        parts = line.split(" ")
        if parts[1].upper() == "PLAIN":
            _, user, password = base64.b64decode(parts[2]).decode().split("\0")
        else:
            user = base64.b64decode(parts[2]).decode()
            await self._say("334 UGFzc3dvcmQ6")
            password = base64.b64decode(await self.reader.readuntil(b"\r\n")).decode()
        known = self.relay.knows(user, password)
        if await self._answer("auth", "235 welcome" if known else "535 5.7.8 wrong name or password"):
            self.login = user

    async def _mail(self) -> None:
        """Read the mail; a fault in its body cuts it before the dot, or lets it wait unread."""
        fault = self.relay.faults.take("body")
        if fault == "hold":
            await self.relay.holds.wait("body", connection=self.number)
        elif fault:
            await self.reader.read(10)
            if fault[0].isdigit():
                await self._say(fault)
            raise OverError
        data = bytearray()
        while (line := await self.reader.readuntil(b"\r\n")) != b".\r\n":
            data += line.removeprefix(b".")
        login, number = self.login, self.number
        arrived = Arrived(time.time(), self.sender, self.to, bytes(data), self.secure, login, number, self.options)
        await self._answer("dot", f"250 ok queued as {number}-{len(self.relay.arrived) + 1}", arrived)

    async def _answer(self, phase: str, reply: str, arrived: Arrived | None = None) -> bool:
        """Reply as usual, or as a fault wants it; whether that was a good reply."""
        fault = self.relay.faults.take(phase, self.to if phase in ("rcpt", "data", "dot") else "")
        if fault.startswith(("slow ", "hold")):
            word, _, rest = fault.partition(" ")
            span, _, then = rest.partition(" ") if word == "slow" else ("", "", rest)
            if arrived is not None and (then in ("", "drop", "hang") or then.startswith("2")):
                self.relay.record(arrived)
                arrived = None
            await (asyncio.sleep(float(span)) if span else self.relay.holds.wait(phase, connection=self.number))
            fault = then
        if arrived is not None and not fault:
            fault = await self._limit()
        if arrived is not None and (fault in ("", "drop", "hang") or fault.startswith("2")):
            self.relay.record(arrived)
        if fault in ("drop", "lose"):
            raise OverError
        if fault == "hang":
            await self.reader.read()
            raise OverError
        reply = fault or reply
        await self._say(reply)
        if reply.startswith("421"):
            raise OverError
        return reply[0] in "23"

    async def _limit(self) -> str:
        """Keep to the relay's rate: wait, or give the reply to what is beyond it."""
        if not self.relay.over:
            await asyncio.sleep(self.relay.rate.wait())
        return self.relay.over if self.relay.over and self.relay.rate.over() else ""

    async def _say(self, line: str) -> None:
        self.writer.write(line.encode() + b"\r\n")
        await self.writer.drain()


def _path(line: str) -> str:
    """The address between angle brackets."""
    return line.partition("<")[2].partition(">")[0]


async def _main() -> None:
    """Serve until the input ends."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tls", choices=("starttls", "tls", "none"), default="none")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--name", default="localhost", help="for whom the certificate is")
    parser.add_argument("--user", default="")
    parser.add_argument("--password", default="")
    parser.add_argument("--log", type=Path)
    parser.add_argument("--dir", type=Path, help="where the certificates go")
    parser.add_argument("--rate", type=float, default=0.0)
    parser.add_argument("--over", default="")
    parser.add_argument("--points", type=Path)
    parser.add_argument("--step-by-step", action="store_true", help="offer no PIPELINING: each command waits")
    asked = parser.parse_args()
    tls = authority = None
    if asked.tls != "none":
        authority = Authority(asked.dir or Path(tempfile.mkdtemp(prefix="relay-")))
        tls = authority.server(name=asked.name)
    login = {"user": asked.user, "password": asked.password}
    rate, how = {"rate": asked.rate, "over": asked.over}, {"points": asked.points, "pipelining": not asked.step_by_step}
    relay = Relay(tls=tls, at_once=asked.tls == "tls", log=asked.log, **rate, **how, **login)
    await relay.start(asked.port)
    say({"port": relay.port, "ca_file": str(authority.ca_file) if authority else ""})
    async for order in orders():
        if "away" in order:
            await (relay.stop() if order["away"] else relay.start())
        elif "go" in order:
            relay.holds.go()
        else:
            relay.faults.order(order)
        say({"done": order})
    await relay.stop()


if __name__ == "__main__":
    asyncio.run(_main())
