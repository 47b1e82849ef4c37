"""The stand-in for Twilio as a process, with somebody's phone behind it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.fakes.orders import written
from tests.fakes.twilio_webhooks import ACCOUNT

OURS = "+15005550006"


class Phone:
    """The provider, with somebody's phone behind it."""

    def __init__(self, log: Path) -> None:
        self.log = log
        log.touch()
        command = [sys.executable, "-m", "tests.fakes.twilio_server", "--account", ACCOUNT, "--token", "secret"]
        self.process = subprocess.Popen(
            [*command, "--log", str(log)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
            text=True,
        )
        self.url = self._heard()["url"]

    def _heard(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        found: dict[str, Any] = json.loads(self.process.stdout.readline())
        return found

    def write(self, number: str, body: str) -> None:
        """Somebody answers."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"inbound": {"from": number, "to": OURS, "body": body}}) + "\n")
        self.process.stdin.flush()
        self._heard()

    def got(self, number: str) -> list[str]:
        """The texts that reached a number."""
        return [each["body"] for each in written(self.log) if each["to"] == number]

    def spoil(self, phase: str, fault: str) -> None:
        """The next request of this phase goes wrong so."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"phase": phase, "fault": fault, "times": 1}) + "\n")
        self.process.stdin.flush()
        self._heard()

    def close(self) -> None:
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()
        self.process.wait(10)
