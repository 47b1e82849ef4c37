"""The world of a measurement: a folder with a config, a mail sink, and the daemon as a process of its own."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from bench import processes
from bench.processes import wait
from bench.sinks import Sink, StampingSink

ROOT = Path(__file__).resolve().parents[1]
TOCSIN = Path(sys.executable).with_name("tocsin")
PEOPLE = 20
"""How many people the pages of many incidents go to, so that the room of an address holds nothing back."""

READY = b'"ready"'
"""What the daemon's log has once it is ready: what it knew is recalled. New files are read from then on."""
TAKEN_IN = b'"version"'
"""What its log has for each new file that it took in."""

SETTINGS = """
incidents: ../incidents
templates: ../templates
reviews: ../reviews
ledger: sqlite:///../var/tocsin.db
outbox: ../var/outbox
operators: [ana]
last_resort: [ana]
replies: {{by: off}}
limits: {{email: {{burst: 1000, every: 1s}}}}
email: {{transport: smtp, host: 127.0.0.1, port: {port}, security: none, sender: "Incidents <incidents@example.com>"}}
sms: {sms}
"""
OUTBOX = '{transport: outbox, sender: "+15005550006"}'
CONFIG = """
severities:
  sev1:
    page: {{roles: [technical_lead], via: [email], acknowledge_within: 30m}}
    updates: [{{to: [everybody], every: 4h}}]
  page: {{page: {{roles: [technical_lead], via: [email], acknowledge_within: 4h}}}}
  quiet: {{updates: [{{to: [few], every: 12h}}]}}
roles: {{technical_lead: {{chain: [ana]}}}}
people: {{ana: {{name: Ana Souza, email: ana@example.com}}}}
stakeholders:
  few: {{emails: [few@example.com], external: false}}
  everybody:
    emails: [{emails}]
    external: false
"""


class World:
    """Folders, a sink and, while it runs, the daemon. Service `s7` pages person `p7`, one of twenty."""

    def __init__(
        self, base: Path, readers: int, sink: Sink, *, ledger: str = "", sms: str = OUTBOX, more: str = ""
    ) -> None:
        self.base, self.sink = base, sink
        self.incidents = base / "incidents"
        self.staged = base / "staged"
        for name in ("config", "incidents", "templates", "staged"):
            (base / name).mkdir()
        emails = ", ".join(f"reader{number}@example.com" for number in range(readers))
        (base / "config" / "all.yaml").write_text(CONFIG.format(emails=emails))
        (base / "config" / "people.yaml").write_text("".join(_people()))
        (base / "config" / "tocsin.yaml").write_text(SETTINGS.format(port=sink.port, sms=sms))
        if more:
            (base / "config" / "more.yaml").write_text(more)
        self._environ = {"TOCSIN_LEDGER": ledger} if ledger else {}
        self.daemon: subprocess.Popen[bytes] | None = None
        self._log = base / "daemon.log"

    @property
    def pid(self) -> int:
        """The daemon's process."""
        assert self.daemon is not None
        return self.daemon.pid

    def start(self, command: Sequence[str] = (str(TOCSIN),), environ: Mapping[str, str] | None = None) -> float:
        """Start the daemon; the seconds until it says that it is ready."""
        given = {**os.environ, "TOCSIN_CONFIG": str(self.base / "config"), **self._environ, **(environ or {})}
        began = time.perf_counter()
        with self._log.open("wb") as errors:
            self.daemon = subprocess.Popen([*command, "run"], stderr=errors, env=given, cwd=self.base)
        self.hear(READY, 1)
        return time.perf_counter() - began

    def hear(self, word: bytes, times: int) -> None:
        """Wait until the daemon's log has a word so often, since its start. What was read is not read again, since with
        many incidents it is long, and that would disturb. Raises RuntimeError when the daemon ends.
        """
        found, read = 0, 0

        def is_over() -> bool:
            nonlocal found, read
            with self._log.open("rb") as log:
                log.seek(read)
                said = log.read()
            whole = said[: said.rfind(b"\n") + 1]
            read += len(whole)
            found += whole.count(word)
            return found >= times or self._daemon_is_over()

        wait(is_over, 600)
        if self._daemon_is_over():
            raise RuntimeError(self._log.read_text()[-2000:])

    def _daemon_is_over(self) -> bool:
        return self.daemon is None or self.daemon.poll() is not None

    def end(self) -> None:
        """End the daemon well."""
        if self.daemon is not None:
            processes.end(self.daemon, 60)
            self.daemon = None

    def declare(self, name: str, severity: str, service: int | None = None) -> float:
        """Drop a file by rename; the moment just before it."""
        staged = self.stage(name, severity, service)
        now = time.time()
        staged.rename(self.incidents / staged.name)
        return now

    def declare_all(self, names: Sequence[str], severity: str) -> float:
        """Drop one file each, by rename, over all services; time.monotonic just before the first."""
        staged = [self.stage(name, severity, number % PEOPLE) for number, name in enumerate(names)]
        began = time.monotonic()
        for path in staged:
            path.rename(self.incidents / path.name)
        return began

    def stage(self, name: str, severity: str, service: int | None = None) -> Path:
        """Write an incident file beside the folder, from where it can be renamed into it."""
        path = self.staged / f"{name}.yaml"
        services = "" if service is None else f"services: [s{service}]\n"
        path.write_text(f"title: Incident {name}\nseverity: {severity}\n{services}")
        return path

    def cpu(self) -> float:
        """Seconds of processor time the daemon has used."""
        return processes.cpu(self.pid)

    def resident(self) -> float:
        """Resident memory of the daemon in MB."""
        return processes.resident(self.pid)

    def mails(self) -> list[tuple[float, str]]:
        """What a sink of our own took: when, and for whom."""
        assert isinstance(self.sink, StampingSink)
        return self.sink.mails()


def _people() -> Iterator[str]:
    numbers = range(PEOPLE)
    yield "people:\n"
    yield from (f"  p{number}: {{name: Person {number}, email: p{number}@example.com}}\n" for number in numbers)
    yield "services:\n"
    yield from (f"  s{number}: {{roles: {{technical_lead: [p{number}]}}}}\n" for number in numbers)


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """A folder that is gone afterwards."""
    base = Path(tempfile.mkdtemp(prefix="tocsin-bench-"))
    try:
        yield base
    finally:
        shutil.rmtree(base, ignore_errors=True)


@contextlib.contextmanager
def world(
    readers: int = 1,
    sink: Sink | None = None,
    *,
    ledger: str = "",
    sms: str = OUTBOX,
    more: str = "",
) -> Iterator[World]:
    """A world in a folder of its own, gone afterwards; the sink too, unless it was given."""
    with folder() as base:
        used = sink or StampingSink(base)
        made = World(base, readers, used, ledger=ledger, sms=sms, more=more)
        try:
            yield made
        finally:
            made.end()
            if sink is None:
                used.close()
