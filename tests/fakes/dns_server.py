"""A DNS server for tests: real DNS over UDP and TCP on loopback, from a zone that the test writes; it can be silent.

    async with DnsServer({("example.org", "TXT"): ["v=spf1 -all"]}) as dns: dns.port
As a process:   python -m tests.fakes.dns_server ZONE.json [--port N] [--silent]     {"example.org TXT": ["v=spf1 -all"]}
                prints {"port": …} and serves until its input ends
"""

import argparse
import asyncio
import json
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

from tests.fakes.orders import orders, say

UDP_MOST = 1232
Zone = Mapping[tuple[str, str], Sequence[str]]


class DnsServer(asyncio.DatagramProtocol):
    """Answers by the zone: NXDOMAIN for names that neither exist nor have names beneath. `broken` names are answered by
    SERVFAIL; a `silent` server hears and says nothing. `questions` are all that were heard.
    """

    def __init__(self, zone: Zone, *, silent: bool = False, broken: Sequence[str] = ()) -> None:
        self.zone = {(name.lower().rstrip("."), kind): list(records) for (name, kind), records in zone.items()}
        self.silent = silent
        self.broken = set(broken)
        self.questions: list[tuple[str, str]] = []
        self.port = 0

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self, port: int = 0) -> None:
        """Listen on one port for both; whatever has it by one of them, another is taken, unless it was named."""
        loop = asyncio.get_running_loop()
        while True:
            self._tcp = await asyncio.start_server(self._serve, "127.0.0.1", port)
            self.port = self._tcp.sockets[0].getsockname()[1]
            try:
                self._udp, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", self.port))
            except OSError:
                self._tcp.close()
                if port:
                    raise
            else:
                return

    async def stop(self) -> None:
        self._udp.close()
        self._tcp.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._udp = transport  # type: ignore[assignment]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = self._answer(data)
        if answer is None:
            return
        if len(answer) > UDP_MOST:
            short = dns.message.make_response(dns.message.from_wire(data))
            short.flags |= dns.flags.TC
            answer = short.to_wire()
        self._udp.sendto(answer, addr)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                (length,) = struct.unpack("!H", await reader.readexactly(2))
                answer = self._answer(await reader.readexactly(length))
                if answer is not None:
                    writer.write(struct.pack("!H", len(answer)) + answer)
                    await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def _answer(self, data: bytes) -> bytes | None:
        query = dns.message.from_wire(data)
        (question,) = query.question
        name, kind = question.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(question.rdtype)
        self.questions.append((name, kind))
        if self.silent:
            return None
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        records = self.zone.get((name, kind), [])
        if name in self.broken:
            response.set_rcode(dns.rcode.SERVFAIL)
        elif records:
            response.answer.append(
                dns.rrset.from_text(question.name, 60, "IN", kind, *(self._shown(kind, record) for record in records))
            )
        elif not any(known == name or known.endswith("." + name) for known, _ in self.zone):
            response.set_rcode(dns.rcode.NXDOMAIN)
        return response.to_wire()

    def _shown(self, kind: str, record: str) -> str:
        if kind != "TXT":
            return record
        pieces = [record[start : start + 255] for start in range(0, len(record), 255)] or [""]
        return " ".join('"' + piece.replace("\\", "\\\\").replace('"', '\\"') + '"' for piece in pieces)


async def _main() -> None:
    """Serve until the input ends."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("zone", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--silent", action="store_true")
    asked = parser.parse_args()
    zone = {(key.split()[0], key.split()[1]): records for key, records in json.loads(asked.zone.read_text()).items()}
    server = DnsServer(zone, silent=asked.silent)
    await server.start(asked.port)
    say({"port": server.port})
    async for _ in orders():
        pass
    await server.stop()


if __name__ == "__main__":
    asyncio.run(_main())
