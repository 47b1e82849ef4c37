"""A provider shaped like Twilio that takes all as fast as it can, and writes down when, as `bench.sink` does.

Run as `python -m bench.twilio PORT_FILE LOG_FILE`. Creating a message is answered as Twilio answers it, with as many
fields; fetching one says that it was delivered, and the list is empty.
"""

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import TextIO
from urllib.parse import parse_qs

ACCOUNT = "AC" + "0" * 32
HEAD = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
SHOWN = {
    "account_sid": ACCOUNT, "api_version": "2010-04-01", "date_created": "Mon, 23 Nov 2026 10:00:00 +0000",
    "date_sent": None, "date_updated": "Mon, 23 Nov 2026 10:00:00 +0000", "direction": "outbound-api",
    "error_code": None, "error_message": None, "messaging_service_sid": None, "num_media": "0", "num_segments": "1",
    "price": None, "price_unit": "USD", "subresource_uris": {},
}  # fmt: skip
NONE = {"messages": [], "page": 0, "page_size": 50, "next_page_uri": None}


class Session(asyncio.Protocol):
    """One connection."""

    def __init__(self, log: TextIO) -> None:
        self._log, self._buffer, self._made = log, b"", 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where answers go."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every whole request."""
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].decode("latin-1")
            fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:])
            whole = end + 4 + int(fields.get("content-length", 0))
            if len(self._buffer) < whole:
                break
            body, self._buffer = self._buffer[end + 4 : whole], self._buffer[whole:]
            status, shown = self._answer(head, body)
            said = json.dumps(shown).encode()
            self._transport.write(HEAD % (status, len(said)) + said)
        self._log.flush()

    def _answer(self, head: str, body: bytes) -> tuple[bytes, dict[str, object]]:
        method, target, _ = head.partition("\r\n")[0].split(" ")
        if method == "POST":
            form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
            self._log.write(f"{time.time():.6f} {form['To']}\n")
            self._made += 1
            return b"201 Created", _message(f"SM{id(self) % 16**16:016x}{self._made:016x}", form, "queued")
        sid = target.rpartition("/")[2].removesuffix(".json")
        return b"200 OK", _message(sid, {}, "delivered") if sid.startswith("SM") else NONE


def _message(sid: str, form: dict[str, str], status: str) -> dict[str, object]:
    said = {"body": form.get("Body", ""), "from": form.get("From", ""), "to": form.get("To", "")}
    return SHOWN | said | {"sid": sid, "status": status, "uri": f"/2010-04-01/Accounts/{ACCOUNT}/Messages/{sid}.json"}


async def main(port_file: Path, log: TextIO) -> None:
    """Serve until killed."""
    server = await asyncio.get_running_loop().create_server(lambda: Session(log), "127.0.0.1", 0)
    port_file.write_text(str(server.sockets[0].getsockname()[1]))  # noqa: ASYNC240 - before anybody connects
    await server.serve_forever()


if __name__ == "__main__":
    with Path(sys.argv[2]).open("w") as written:
        asyncio.run(main(Path(sys.argv[1]), written))
