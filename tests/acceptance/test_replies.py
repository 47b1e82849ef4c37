"""Answers by SMS from end to end: the installed daemon polls a stand-in for the provider; no port is open."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.pager import SETTINGS, Pager
from tests.fakes.twilio_webhooks import ACCOUNT

FILE = "title: Card payments fail\nseverity: sev1\n"
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
        sent = [json.loads(line) for line in self.log.read_text().splitlines()]
        return [each["body"] for each in sent if each["to"] == number]

    def close(self) -> None:
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()
        self.process.wait(10)


@pytest.fixture
def phone(tmp_path: Path) -> Iterator[Phone]:
    made = Phone(tmp_path / "sms.truth")
    yield made
    made.close()


def test_a_page_is_answered_from_a_phone(phone: Phone, tmp_path: Path) -> None:
    """The page carries a code; `ok` with it is heard without an open port, accepts the role and is answered."""
    pager = Pager(tmp_path, TOCSIN_SMS__AUTH_TOKEN="secret")
    sms = f"sms: {{transport: twilio, account_sid: {ACCOUNT}, api_url: '{phone.url}', "
    settings = SETTINGS.replace("sms: {", sms) + "replies: {every: 1s}\n"
    (tmp_path / "config" / "tocsin.yaml").write_text(settings)
    pager.start()
    pager.write("pay.yaml", FILE)
    page = pager.until(lambda: phone.got("+14155550101"))[0]
    code = re.search(r"Reply ok ([A-Z][1-9])", page)
    assert code, page
    phone.write("+14155550199", f"ok {code[1]}")
    phone.write("+14155550101", f"Ok {code[1].lower()}.")
    answer = pager.until(lambda: phone.got("+14155550101")[1:])[0]
    assert answer == "You are Technical Lead of Card payments fail (SEV1)."
    pager.until(
        lambda: json.loads(pager.run("status", "--format", "json").stdout)["incidents"][0]["roles"]["technical_lead"][
            "accepted"
        ]
    )
    assert not phone.got("+14155550199")
    assert pager.stop() == 0


def test_a_restart_repeats_no_answer_and_still_knows_the_codes(phone: Phone, tmp_path: Path) -> None:
    """Ana took it and passed it on before: bo, asked since, keeps his time; an ended incident's code is still known."""
    pager = Pager(tmp_path, TOCSIN_SMS__AUTH_TOKEN="secret")
    sms = f"sms: {{transport: twilio, account_sid: {ACCOUNT}, api_url: '{phone.url}', "
    (tmp_path / "config" / "tocsin.yaml").write_text(SETTINGS.replace("sms: {", sms) + "replies: {every: 1s}\n")
    pager.start()
    pager.write("pay.yaml", FILE)
    page = pager.until(lambda: phone.got("+14155550101"))[0]
    code = re.search(r"Reply ok ([A-Z][1-9])", page)
    assert code, page
    phone.write("+14155550101", f"ok {code[1]}")
    pager.until(lambda: phone.got("+14155550101")[1:])
    phone.write("+14155550101", f"pass {code[1]}")
    pager.until(lambda: phone.got("+14155550102"))
    assert pager.stop() == 0
    pager.start()
    time.sleep(2.5)
    assert phone.got("+14155550103") == []
    pager.write("pay.yaml", FILE + "status: resolved\n")
    pager.until(lambda: pager.mails("closing"))
    assert pager.stop() == 0
    pager.start()
    before = len(phone.got("+14155550101"))
    phone.write("+14155550101", f"ok {code[1]}")
    answer = pager.until(lambda: phone.got("+14155550101")[before:])[0]
    assert answer.startswith("Card payments fail was resolved")
    assert pager.stop() == 0
