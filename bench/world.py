"""The world of a measurement: a folder with a config, a sink, and the daemon as a subprocess."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TOCSIN = Path(sys.executable).with_name("tocsin")

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
sms: {{transport: outbox, sender: "+15005550006"}}
"""
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
    """Folders, a sink and, while it runs, the daemon."""

    def __init__(self, base: Path, readers: int) -> None:
        self.base = base
        self.log = base / "sink.log"
        self.incidents = base / "incidents"
        for name in ("config", "incidents", "templates"):
            (base / name).mkdir()
        port_file = base / "port"
        self.sink = subprocess.Popen([sys.executable, "-m", "bench.sink", str(port_file), str(self.log)], cwd=ROOT)
        wait(lambda: port_file.is_file() and bool(port_file.read_text()), 10)
        self.port = int(port_file.read_text())
        emails = ", ".join(f"reader{number}@example.com" for number in range(readers))
        (base / "config" / "all.yaml").write_text(CONFIG.format(emails=emails))
        (base / "config" / "tocsin.yaml").write_text(SETTINGS.format(port=self.port))
        self.daemon: subprocess.Popen[bytes] | None = None

    def start(self) -> float:
        """Start the daemon; the seconds until it says that it is ready."""
        begun = time.perf_counter()
        errors = (self.base / "daemon.log").open("wb")
        environ = {**os.environ, "TOCSIN_CONFIG": str(self.base / "config")}
        self.daemon = subprocess.Popen([str(TOCSIN), "run"], stderr=errors, env=environ, cwd=self.base)
        ready = (self.base / "daemon.log").read_bytes
        wait(lambda: b"ready" in ready(), 120)
        return time.perf_counter() - begun

    def mails(self) -> list[tuple[float, str]]:
        """What the sink took: when, and for whom."""
        pairs = (line.split() for line in self.log.read_text().splitlines())
        return [(float(pair[0]), pair[1]) for pair in pairs if len(pair) == 2]

    def declare(self, name: str, severity: str) -> float:
        """Drop a file by rename; the moment just before it."""
        temporary = self.incidents / f".{name}.tmp"
        temporary.write_text(f"title: Incident {name}\nseverity: {severity}\n")
        now = time.time()
        temporary.rename(self.incidents / f"{name}.yaml")
        return now

    def cpu(self) -> float:
        """Seconds of processor time the daemon has used."""
        assert self.daemon is not None
        fields = Path(f"/proc/{self.daemon.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident(self) -> float:
        """Resident memory of the daemon in MB."""
        assert self.daemon is not None
        status = Path(f"/proc/{self.daemon.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    def stop(self) -> None:
        """End both processes."""
        if self.daemon is not None:
            self.daemon.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.daemon.wait(40)
            self.daemon.kill()
        self.sink.kill()
        self.sink.wait()


@contextlib.contextmanager
def world(readers: int = 1) -> Iterator[World]:
    """A world in a folder of its own, gone afterwards."""
    base = Path(tempfile.mkdtemp(prefix="tocsin-bench-"))
    made = World(base, readers)
    try:
        yield made
    finally:
        made.stop()
        shutil.rmtree(base, ignore_errors=True)


def wait(until: "object", seconds: float) -> None:
    """Wait for something to become true. Raises TimeoutError."""
    assert callable(until)
    ends = time.monotonic() + seconds
    while not until():
        if time.monotonic() > ends:
            raise TimeoutError("the bench waited in vain")
        time.sleep(0.005)
