"""A mail server that accepts everything as fast as it can, and writes down when: one line a mail, `<seconds> <to>`.

Run as `python -m bench.sink PORT_FILE LOG_FILE [SECONDS]`. Commands may be pipelined. Each answer leaves so many
seconds after what it answers, as from a server that is so far away.
"""

import asyncio
import sys
import time
from pathlib import Path
from typing import TextIO


class Session(asyncio.Protocol):
    """One connection."""

    def __init__(self, log: TextIO, away: float = 0.0) -> None:
        self.log, self.away = log, away
        self.buffer = b""
        self.data = False
        self.to = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        """Answer every whole command; swallow mails."""
        self.buffer += data
        answers: list[bytes] = []
        while True:
            if self.data:
                end = self.buffer.find(b"\r\n.\r\n")
                if end < 0:
                    self.buffer = self.buffer if len(self.buffer) < 10_000 else self.buffer[-10_000:]
                    break
                self.buffer, self.data = self.buffer[end + 5 :], False
                self.log.write(f"{time.time():.6f} {self.to}\n")
                answers.append(b"250 taken\r\n")
                continue
            line, found, rest = self.buffer.partition(b"\r\n")
            if not found:
                break
            self.buffer = rest
            answers.append(self.answer(line))
        if answers and self.away:
            asyncio.get_running_loop().call_later(self.away, self.transport.write, b"".join(answers))
        elif answers:
            self.transport.write(b"".join(answers))
        self.log.flush()

    def answer(self, line: bytes) -> bytes:
        """One command's reply."""
        verb = line[:4].upper()
        if verb == b"EHLO":
            return b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n"
        if verb == b"RCPT":
            self.to = line.partition(b"<")[2].partition(b">")[0].decode("ascii", "replace")
        if verb == b"DATA":
            self.data = True
            return b"354 go on\r\n"
        if verb == b"QUIT":
            self.transport.write(b"221 bye\r\n")
            self.transport.close()
            return b""
        return b"250 ok\r\n"


async def main(port_file: Path, log: TextIO, away: float) -> None:
    """Serve until killed."""
    server = await asyncio.get_running_loop().create_server(lambda: Session(log, away), "127.0.0.1", 0)
    port_file.write_text(str(server.sockets[0].getsockname()[1]))  # noqa: ASYNC240 - before anybody connects
    await server.serve_forever()


if __name__ == "__main__":
    with Path(sys.argv[2]).open("w") as written:
        asyncio.run(main(Path(sys.argv[1]), written, float((*sys.argv[3:], 0)[0])))
