"""Two mail servers and two SMS accounts as processes that go wrong, and a pager that uses all four."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.fakes.orders import written
from tests.fakes.pager import Pager

MAIN_ACCOUNT, SPARE_ACCOUNT = "AC" + "0" * 32, "AC" + "1" * 32
OURS, SPARE = "+15005550006", "+15005550007"
SETTINGS = """
operators: [olga]
last_resort: [olga, bo]
replies: {{by: poll, every: 2s}}
{more}
email:
  {{transport: smtp, host: 127.0.0.1, port: {relay}, security: none, sender: "Incidents <incidents@example.com>",
    fallbacks: {{second: {{transport: smtp, host: 127.0.0.1, port: {relay2}, security: none,
      sender: "Incidents <incidents@example.org>"}}}}}}
sms:
  {{transport: twilio, account_sid: {account}, api_url: '{twilio}', sender: "{ours}",
    fallbacks: {{second: {{transport: twilio, account_sid: {account2}, api_url: '{twilio2}', sender: "{ours2}"}}}}}}
"""
SECRETS = {"TOCSIN_SMS__AUTH_TOKEN": "first", "TOCSIN_SMS__FALLBACKS__SECOND__AUTH_TOKEN": "other"}


class StandInProcess:
    """One stand-in as a process: `tests.fakes.smtp_server` or `tests.fakes.twilio_server`, and what truly arrived."""

    def __init__(self, log: Path, server: str, *more: str) -> None:
        self.log = log
        log.touch()
        self.process = subprocess.Popen(
            [sys.executable, "-m", f"tests.fakes.{server}_server", "--log", str(log), *more],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
            text=True,
        )
        self.place = self._heard()

    def order(self, **order: Any) -> dict[str, Any]:
        """Tell it what to do; it has done so when this returns, and says what came of it."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return self._heard()

    def wrong(self, phase: str, fault: str, times: int | None = None, to: str = "") -> None:
        """From now on (or so often) it goes wrong at a phase; an empty fault ends that."""
        self.order(phase=phase, fault=fault, times=times, to=to)

    def arrived(self, to: str = "") -> list[dict[str, Any]]:
        """What truly arrived (for an address), in order; answers of people are left out."""
        return [line for line in written(self.log) if to in ("", line["to"]) and line.get("direction") != "inbound"]

    def close(self) -> None:
        """End it."""
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()
        self.process.wait(10)

    def _heard(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        found: dict[str, Any] = json.loads(self.process.stdout.readline())
        return found


class Providers:
    """`relay` and `twilio` come first, `relay2` and `twilio2` are the fallbacks called `second`. `more` are lines of the
    settings.
    """

    def __init__(self, folder: Path, more: str = "", **environ: str) -> None:
        accounts = (("--account", MAIN_ACCOUNT, "--token", "first", "--number", OURS),)
        accounts += (("--account", SPARE_ACCOUNT, "--token", "other", "--number", SPARE),)
        self.relay, self.relay2 = (StandInProcess(folder / f"relay{number}.truth", "smtp") for number in (1, 2))
        self.twilio, self.twilio2 = (
            StandInProcess(folder / f"twilio{number}.truth", "twilio", *account)
            for number, account in enumerate(accounts, 1)
        )
        self.pager = Pager(folder, **{**SECRETS, **environ})
        self.configure(more)

    def configure(self, more: str) -> None:
        """Write the settings, with these lines besides."""
        text = SETTINGS.format(
            more=more, relay=self.relay.place["port"], relay2=self.relay2.place["port"],
            account=MAIN_ACCOUNT, account2=SPARE_ACCOUNT, ours=OURS, ours2=SPARE,
            twilio=self.twilio.place["url"], twilio2=self.twilio2.place["url"],
        )  # fmt: skip
        (self.pager.folder / "config" / "tocsin.yaml").write_text(text)

    def texts(self, number: str, words: str = "") -> list[dict[str, Any]]:
        """The SMS that either account took for a number, with these words, in the order of their instants."""
        sent = self.twilio.arrived(number) + self.twilio2.arrived(number)
        return sorted((sms for sms in sent if words in sms["body"]), key=_instant)

    def mails(self, to: str, kind: str = "page") -> list[dict[str, Any]]:
        """The mails of a kind that either relay took for an address, in the order of their instants."""
        sent = self.relay.arrived(to) + self.relay2.arrived(to)
        return sorted((mail for mail in sent if f"X-Tocsin-Kind: {kind}" in mail["data"]), key=_instant)

    def answer(self, number: str, words: str) -> None:
        """Somebody writes to the number that their last SMS came from."""
        last = self.texts(number)[-1]
        stand_in = self.twilio if last["sender"] == OURS else self.twilio2
        stand_in.order(inbound={"from": number, "to": last["sender"], "body": words})

    def told(self) -> str:
        """What the operator read, by mail and by SMS."""
        mails = [mail["data"].replace("=\r\n", "") for mail in self.mails("olga@example.com", "operator")]
        return "\n".join([*mails, *(sms["body"] for sms in self.texts("+14155550103"))])

    def settled(self, count: Callable[[], int], seconds: float = 5) -> int:
        """What a count is when it has not changed for so long."""
        before, since = count(), time.monotonic()
        while time.monotonic() - since < seconds:
            time.sleep(0.2)
            if (now := count()) != before:
                before, since = now, time.monotonic()
        return before

    def close(self) -> None:
        """End everything."""
        if self.pager.process is not None:
            self.pager.stop()
        for stand_in in (self.relay, self.relay2, self.twilio, self.twilio2):
            stand_in.close()


def _instant(message: dict[str, Any]) -> float:
    at: float = message["at"]
    return at
