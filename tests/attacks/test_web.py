"""Attacks on the real web side by whoever reaches it: guessed tokens, floods, odd requests, incidents without end."""

import asyncio
import contextlib
import http.client
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tocsin.adapters.ledger.ledger import SqlLedger
from tocsin.adapters.ledger.sqlite.keeping import FileStore
from tocsin.adapters.ledger.sqlite.opening import open_file
from tocsin.domain.facts import Fact, Seen
from tocsin.domain.incident import Incident, UpdateEntry

from tests.fakes.pager import Pager
from tests.fakes.ready_commands import ReadyDaemon, start_ready

TOKEN = "0123456789abcdef0123456789abcdef"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
UPDATES = 2000


class Web:
    """`tocsin web` beside a pager's folder."""

    def __init__(self, folder: Path, **environ: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        listen = {"TOCSIN_WEB__LISTEN": f"127.0.0.1:{self.port}", "TOCSIN_WEB__TOKEN": TOKEN}
        self.pager = Pager(folder, **listen, **environ)
        self.log = folder / "web.log"
        self.process: ReadyDaemon | subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it listens."""
        with self.log.open("ab") as log:
            self.process = start_ready(["web"], self.pager.folder, self.pager.environ, log)
        end = time.monotonic() + 25
        while '"event": "ready"' not in self.log.read_text():
            assert time.monotonic() < end, self.log.read_text()
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.02)

    def ask(
        self, method: str, path: str, body: str = "", *, source: str = "127.0.0.1", within: float = 10, **headers: str
    ) -> tuple[int, dict[str, str], str]:
        """One request, from an address of this machine: status, headers, body."""
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=within, source_address=(source, 0))
        with contextlib.closing(client):
            given = {name.replace("_", "-"): value for name, value in headers.items()}
            client.request(method, path, body, FORM | given if method == "POST" else given)
            answer = client.getresponse()
            named = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, named, answer.read().decode()

    def close(self) -> float:
        """End it; the seconds that took."""
        assert self.process is not None
        began = time.monotonic()
        self.process.terminate()
        self.process.wait(30)
        self.process = None
        return time.monotonic() - began


@pytest.fixture
def public(tmp_path: Path) -> Iterator[Web]:
    """A web side with a public address."""
    web = Web(tmp_path, TOCSIN_PUBLIC_URL="https://pager.example.com", TOCSIN_WEB__SIGNING_KEY=TOKEN[::-1])
    web.start()
    try:
        yield web
    finally:
        if web.process:
            web.close()
        assert "Traceback" not in web.log.read_text(), web.log.read_text()[-3000:]


def test_a_stranger_guesses(public: Web) -> None:
    """W1, W2, W4, W7: by one more X-Forwarded-For line nobody gets more tries; numbers want the token; odd forms are no
    faults.
    """
    guesses = []
    for number in range(14):
        client = http.client.HTTPConnection("127.0.0.1", public.port, timeout=10)
        client.putrequest("GET", "/metrics")
        client.putheader("X-Forwarded-For", f"198.51.100.{number}")
        client.putheader("X-Forwarded-For", "192.0.2.1:4711")
        client.putheader("Authorization", "Bearer guess")
        client.endheaders()
        guesses.append(client.getresponse().status)
        client.close()
    assert guesses == [401] * 10 + [429] * 4
    right = {"Authorization": f"Bearer {TOKEN}"}
    assert public.ask("GET", "/metrics", **right, X_Forwarded_For="192.0.2.1")[0] == 429
    for _ in range(14):
        public.ask("GET", "/metrics", Authorization="Bearer guess")
    assert public.ask("GET", "/metrics", **right)[0] == 200, "a stranger locked everybody out"
    for path in ("/sign-in", "/sign-out"):
        assert public.ask("POST", path, "who=ana", Origin="https://evil.example")[0] == 403
    assert public.ask("GET", "/metrics")[0] in (401, 429)
    for kind in (
        "application/x-www-form-urlencoded; charset=hex",
        "multipart/form-data",
        "multipart/form-data; boundary=b",
    ):
        assert public.ask("POST", "/sign-in", "--b\r\nx", Content_Type=kind)[0] == 415


@pytest.mark.attack
@pytest.mark.parametrize(("source", "named"), [("127.0.0.66", ""), ("127.0.0.1", "X-Forwarded-For: 192.0.2.6\r\n")])
def test_bodies_that_drip_hold_up_nobody_else(public: Web, source: str, named: str) -> None:
    """W3: 430 connections of one client, twice; whoever else comes meanwhile, slowly, is answered each time."""
    head = f"POST /sign-in HTTP/1.1\r\nHost: a\r\n{named}Content-Type: {FORM['Content-Type']}\r\nContent-Length: 1000\r\n\r\n"

    async def drip() -> None:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", public.port, local_addr=(source, 0))
            try:
                writer.write(head.encode())
                while True:
                    writer.write(b"a")
                    await writer.drain()
                    await asyncio.sleep(1)
            finally:
                writer.transport.abort()

    async def ask(number: int) -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", public.port, local_addr=("127.0.0.1", 0))
        lines = f"Host: a\r\nX-Forwarded-For: 198.51.100.{number}\r\nConnection: close\r\nContent-Length: 7\r\n"
        writer.write(f"POST /sign-in HTTP/1.1\r\n{lines}Content-Type: {FORM['Content-Type']}\r\n\r\ntoken".encode())
        await asyncio.sleep(0.3)
        writer.write(b"=x")
        async with asyncio.timeout(10):
            answer = await reader.read()
        writer.close()
        return int(answer[9:12] or b"0")

    async def attack() -> list[int]:
        drips, asks = [], []
        for number in range(30):
            if number % 15 == 0:
                drips += [asyncio.create_task(drip()) for _ in range(430)]
            asks.append(asyncio.create_task(ask(number)))
            await asyncio.sleep(0.2)
        statuses = await asyncio.gather(*asks)
        for task in drips:
            task.cancel()
        await asyncio.gather(*drips, return_exceptions=True)
        return statuses

    assert asyncio.run(attack()) == [400] * 30


def write_long_incident(folder: Path) -> None:
    """An incident of which each update came with a version of its own, resolved in the end, in the ledger."""
    at = datetime.now(UTC) - timedelta(days=1)
    card = Incident("card", "Card payments fail", "sev1", impact="Half of all payments fail.")
    entries = tuple(UpdateEntry(f"Step {number} is done.", "", at, "ana") for number in range(UPDATES))
    facts: list[Fact] = [
        Seen(at + timedelta(seconds=10 * number), replace(card, updates=entries[:number]), f"d{number}")
        for number in range(UPDATES + 1)
    ]
    (folder / "var").mkdir(exist_ok=True)

    async def write() -> None:
        ledger = SqlLedger(FileStore(open_file(folder / "var" / "tocsin.db", "x")))
        await ledger.record("card", facts, [], [])
        await ledger.close()

    asyncio.run(write())


@pytest.mark.attack
def test_an_incident_of_thousands_of_updates(tmp_path: Path) -> None:
    """W8: its page (of 1,000 it never came) and its review (of 2,000 it took 160 s) take seconds, others' pages do not
    wait for it, and neither does the end.
    """
    web = Web(tmp_path)
    web.pager.start()
    web.pager.stop()
    write_long_incident(tmp_path)
    web.start()
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    began = time.monotonic()
    status, _, page = web.ask("GET", "/incidents/card", within=30, **bearer)
    took = {"page": time.monotonic() - began}
    assert status == 200, web.log.read_text()
    assert f"Step {UPDATES - 1} " in page
    assert "left out here" in page
    began = time.monotonic()
    assert web.pager.run("review", "card").returncode == 0
    took["review"] = time.monotonic() - began
    began = time.monotonic()
    assert web.pager.run("explain", "card").returncode == 0
    took["explain"] = time.monotonic() - began
    review = (tmp_path / "reviews" / "card.md").read_text()
    assert f"Step {UPDATES - 1} " in review
    assert max(took.values()) < 10, took
    late = http.client.HTTPConnection("127.0.0.1", web.port, timeout=30)
    time.sleep(took["page"] * 10 + 2)  # the page is not kept any more
    late.request("GET", "/incidents/card", headers=bearer)
    time.sleep(0.3)
    took["end"] = web.close()
    late.close()
    assert took["end"] < 8, took
