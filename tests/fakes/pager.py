"""A pager in a folder of its own: the installed `tocsin run` as a process, with real files around it."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import lru_cache
from pathlib import Path
from typing import Any

from tests.fakes.patience import Patience, Stopwatch
from tests.fakes.ready_commands import ReadyDaemon, run_ready, start_ready

ROOT = Path(__file__).parents[2]
TOCSIN = Path(sys.executable).with_name("tocsin")

CONFIG = """
people:
  ana: {name: Ana Souza, email: ana@example.com, phone: "+14155550101"}
  bo: {name: Bo Berg, email: bo@example.com, phone: "+14155550102"}
  olga: {name: Olga Ops, email: olga@example.com, phone: "+14155550103"}
roles:
  technical_lead: {title: Technical Lead, duties: Fixes it., chain: [ana, bo]}
stakeholders:
  support: {title: Support, emails: [support@example.com], external: false}
severities:
  sev1:
    title: Critical
    page: {roles: [technical_lead], via: [sms, email], acknowledge_within: 5m}
    updates: [{to: [support], every: 30m}]
"""
SETTINGS = """
operators: [olga]
last_resort: [olga, bo]
email: {sender: "Incidents <incidents@example.com>"}
sms: {sender: "+15005550006"}
"""
ROOMY = {"TOCSIN_LIMITS__SMS__BURST": "1000", "TOCSIN_LIMITS__EMAIL__BURST": "1000"}
"""For tests that page one person many times and are not about storms: each page leaves alone."""


class Pager:
    """The folder, and the daemon when it runs. `environ` are extra variables."""

    def __init__(self, folder: Path, **environ: str) -> None:
        self.folder = folder
        self.environ = {name: value for name, value in os.environ.items() if not name.startswith("TOCSIN_")} | environ
        for name in ("config", "incidents", "templates"):
            (folder / name).mkdir(exist_ok=True)
        (folder / "config" / "all.yaml").write_text(CONFIG)
        (folder / "config" / "tocsin.yaml").write_text(SETTINGS)
        self.log = folder / "log"
        self.process: ReadyDaemon | subprocess.Popen[bytes] | None = None

    def quicken(self, ladder: str) -> None:
        """Whoever does not answer is asked for so long, from the next start on."""
        config = self.folder / "config" / "all.yaml"
        config.write_text(config.read_text().replace("acknowledge_within: 5m", f"acknowledge_within: {ladder}"))

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Another command, to its end."""
        return run_ready(arguments or ("run",), self.folder, self.environ)

    def start(self) -> None:
        """Start the daemon and wait until it is ready."""
        before = self.said("ready")
        with self.log.open("ab") as log:
            self.process = start_ready(["run"], self.folder, self.environ, log)
        self.until(lambda: self.said("ready") > before)

    def start_unheard(self, stderr: int | None, *command: str) -> None:
        """Start the daemon with its log in other hands (None: closed), and wait until it reads the folder."""
        self.log.touch()
        self.process = subprocess.Popen(
            command or [TOCSIN, "run"], cwd=self.folder, env=self.environ, stdout=stderr, stderr=stderr
        )
        self.until((self.folder / "var" / "tocsin.db.lock").exists)

    def said(self, event: str) -> int:
        """How many log lines there are of this event."""
        return self.log.read_text().count(f'"event": "{event}"') if self.log.exists() else 0

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait; the exit status."""
        assert self.process is not None
        self.process.send_signal(number)
        status = self.process.wait(40)
        self.process = None
        return status

    def until(self, true: Callable[[], Any], seconds: float = 25) -> Any:
        """Wait until something is true, and give it. Gives up after so many seconds in which the machine went on."""
        patience = Patience(seconds)
        while not (found := true()):
            assert patience.nap(), f"it did not happen; the log says:\n{self.log.read_text()[-4000:]}"
            assert self.process is None or self.process.poll() is None, self.log.read_text()[-4000:]
        return found

    def stop_within(self, seconds: float) -> int:
        """SIGTERM; the exit status. It ends within so many seconds of its own."""
        assert self.process is not None
        taking, patience = self.stopwatch(), Patience(40)
        self.process.terminate()
        while (status := self.process.poll()) is None:
            assert patience.nap(), "it does not end"
            assert taking.seconds < seconds
        self.process = None
        return status

    def stopwatch(self) -> Stopwatch:
        """How long the daemon takes from now on."""
        assert self.process is not None
        return Stopwatch(self.process.pid)

    def write(self, name: str, text: str) -> None:
        """Write an incident file as an editor does: under another name, then by rename."""
        hidden = self.folder / "incidents" / f".{name}.new"
        hidden.write_text(text)
        hidden.rename(self.folder / "incidents" / name)

    def mails(self, kind: str = "", to: str = "") -> list[EmailMessage]:
        """The emails of the outbox, in order."""
        paths = sorted((self.folder / "var" / "outbox").glob("*.eml"), key=_number)
        mails = [_mail(path, path.stat().st_mtime_ns) for path in paths]
        return [mail for mail in mails if kind in ("", mail["X-Tocsin-Kind"]) and to in str(mail["To"])]

    def texts(self) -> list[str]:
        """The names of the SMS files of the outbox."""
        return sorted(path.name for path in (self.folder / "var" / "outbox").glob("*.json"))

    def copy_shipped(self) -> None:
        """Use the config and templates that come with the daemon instead."""
        for name in ("config", "templates"):
            shutil.rmtree(self.folder / name)
            shutil.copytree(ROOT / name, self.folder / name)


@lru_cache(maxsize=1000)
def _mail(path: Path, _changed: int) -> EmailMessage:
    """A mail of an outbox, which comes there whole; `_changed` is when (nanoseconds). Whoever waits looks at it often."""
    mail = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert isinstance(mail, EmailMessage)
    return mail


def _number(path: Path) -> int:
    return int(path.name.split("-")[1])
