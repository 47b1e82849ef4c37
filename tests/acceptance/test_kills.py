"""kill -9 at random moments, with a real mail server and a stand-in for Twilio: nothing is lost, copies are marked."""

import json
import random
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.orders import written
from tests.fakes.pager import SETTINGS, Pager

FILE = "title: Card payments fail {number}\nseverity: sev1\n"
ACCOUNT = "AC" + "0" * 32
NO_STORM = "limits: {sms: {burst: 50}, email: {burst: 50}}\n"
"""Each page leaves alone, so that it can be counted; kills in a storm are tests/attacks/test_storms.py's."""


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[dict[str, Any]]:
    """A relay and a stand-in as processes of their own; where they are, and the files with the truth."""
    found: dict[str, Any] = {}
    running = []
    for name, module, more in (
        ("smtp", "smtp_server", ["--tls", "none"]),
        ("twilio", "twilio_server", ["--account", ACCOUNT, "--token", "secret"]),
    ):
        log = tmp_path / f"{name}.truth"
        log.touch()
        process = subprocess.Popen(
            [sys.executable, "-m", f"tests.fakes.{module}", "--log", str(log), *more],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
            text=True,
        )
        running.append(process)
        assert process.stdout is not None
        found |= json.loads(process.stdout.readline()) | {f"{name}_log": log, name: process}
    yield found
    for process in running:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()


def order(process: Any, **fault: Any) -> None:
    """Tell a server to go wrong."""
    process.stdin.write(json.dumps(fault) + "\n")
    process.stdin.flush()


@pytest.mark.parametrize("kills", [5, pytest.param(12, marks=pytest.mark.attack)])
def test_nothing_is_lost_to_kills(tmp_path: Path, servers: dict[str, Any], kills: int) -> None:
    """Kills around the sends of as many incidents: each page and update arrives, each SMS once."""
    settings = SETTINGS.replace(
        "email: {sender", f"email: {{transport: smtp, host: 127.0.0.1, port: {servers['port']}, security: none, sender"
    ).replace("sms: {sender", f"sms: {{transport: twilio, account_sid: {ACCOUNT}, api_url: '{servers['url']}', sender")
    pager = Pager(tmp_path, TOCSIN_SMS__AUTH_TOKEN="secret")
    (pager.folder / "config" / "tocsin.yaml").write_text(settings + "replies: {by: off}\n" + NO_STORM)
    dice = random.Random(2026)
    order(servers["smtp"], phase="dot", fault="slow 0.05 250 ok", times=None)
    order(servers["twilio"], phase="create", fault="slow 0.05", times=None)
    for number in range(kills):
        pager.start()
        pager.write(f"pay{number}.yaml", FILE.format(number=number))
        time.sleep(dice.uniform(0, 0.25))
        pager.stop(signal.SIGKILL)
    order(servers["smtp"], phase="dot", fault="", times=None)
    order(servers["twilio"], phase="create", fault="", times=None)
    pager.start()
    arrivals = pager.until(lambda: complete(servers, kills), 100)
    time.sleep(3)
    arrivals = complete(servers, kills)
    assert pager.stop() == 0
    marked = tries_marked(tmp_path / "var" / "tocsin.db")
    for (number, to), count in arrivals.items():
        if to.startswith("+"):
            assert count == 1, f"{count} SMS of incident {number}"
        else:
            assert count <= 1 + marked[number, to], f"{count} mails of incident {number} to {to}, {marked}"


def complete(servers: dict[str, Any], kills: int) -> Counter[tuple[int, str]]:
    """How often each message arrived, once all have: by incident and address; empty until then."""
    found: Counter[tuple[int, str]] = Counter()
    for mail in written(servers["smtp_log"]):
        if "olga" not in mail["to"]:
            found[number_in(str(mail)), mail["to"]] += 1
    for sms in written(servers["twilio_log"]):
        if sms["to"] != "+14155550103":
            found[number_in(sms["body"]), sms["to"]] += 1
    wanted = {
        (number, to) for number in range(kills) for to in ("ana@example.com", "+14155550101", "support@example.com")
    }
    return found if wanted <= found.keys() else Counter()


def number_in(text: str) -> int:
    """Which incident a message is about."""
    match = re.search(r"payments fail (\d+)", text)
    assert match, text
    return int(match[1])


def tries_marked(ledger: Path) -> Counter[tuple[int, str]]:
    """Tries that the ledger marks as perhaps a second copy, by incident and address."""
    with sqlite3.connect(ledger) as connection:
        rows = connection.execute(
            "SELECT n.incident, a.address FROM attempts a JOIN notifications n ON n.key = a.key"
            " WHERE a.possible_duplicate <> ''"
        ).fetchall()
    connection.close()
    return Counter((int(incident.removeprefix("pay")), address) for incident, address in rows)
