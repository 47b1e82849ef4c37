"""Delivery receipts from end to end: the installed daemon, the installed web side beside it, and a stand-in for Twilio
that calls back as it was told to.
"""

import json
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode

import pytest

from tests.fakes.orders import written
from tests.fakes.pager import SETTINGS, Pager
from tests.fakes.ready_commands import start_ready
from tests.fakes.twilio_webhooks import ACCOUNT, signature, status

TOKEN = "0123456789abcdef"
FILE = "title: Card payments fail\nseverity: sev1\n"


class World:
    """The pager with its web side, and the provider. Email goes to the outbox."""

    def __init__(self, folder: Path) -> None:
        self.truth = folder / "sms.truth"
        self.truth.touch()
        command = [sys.executable, "-m", "tests.fakes.twilio_server", "--account", ACCOUNT, "--token", TOKEN]
        self.twilio = subprocess.Popen(
            [*command, "--log", str(self.truth)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
            text=True,
        )
        self.url = f"http://127.0.0.1:{_free_port()}"
        sms = f"sms: {{transport: twilio, account_sid: {ACCOUNT}, api_url: '{self._heard()['url']}', "
        more = f"replies: {{by: webhook}}\npublic_url: {self.url}\nweb: {{listen: '{self.url[7:]}'}}\n"
        self.pager = Pager(folder, TOCSIN_SMS__AUTH_TOKEN=TOKEN)
        config = folder / "config"
        (config / "tocsin.yaml").write_text(SETTINGS.replace("sms: {", sms) + more)
        fragments = (config / "all.yaml").read_text()
        (config / "all.yaml").write_text(fragments.replace("via: [sms, email]", "via: [sms]"))
        self.pager.start()
        with (folder / "web.log").open("wb") as log:
            without = {name: value for name, value in self.pager.environ.items() if "AUTH_TOKEN" not in name}
            self.web = start_ready(["web"], folder, without, log)
        self.pager.until(lambda: self.answers("/healthz") == 200)

    def _heard(self) -> dict[str, Any]:
        assert self.twilio.stdout is not None
        found: dict[str, Any] = json.loads(self.twilio.stdout.readline())
        return found

    def tell(self, sid: str, state: str, code: str = "") -> int:
        """The provider calls back about a message; how it was answered."""
        assert self.twilio.stdin is not None
        self.twilio.stdin.write(json.dumps({"tell": {"sid": sid, "status": state, "code": code}}) + "\n")
        self.twilio.stdin.flush()
        answer: int = self._heard()["answer"]
        return answer

    def sent(self) -> list[dict[str, Any]]:
        """The SMS that truly left."""
        return written(self.truth)

    def answers(self, path: str, data: bytes | None = None, **headers: str) -> int:
        """The status of an answer of the web side; 0 while there is none."""
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(self.url + path, data, names)
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code
        except URLError:
            return 0

    def close(self) -> None:
        """End everything."""
        self.web.terminate()
        self.web.wait(10)
        if self.pager.process is not None:
            self.pager.stop()
        for stream in (self.twilio.stdin, self.twilio.stdout):
            assert stream is not None
            stream.close()
        self.twilio.wait(10)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def test_an_undelivered_page_goes_by_email_and_check_warns(world: World) -> None:
    """Signed callbacks change what happens, forged ones do not, though the web side, which has no token, takes both: an
    email within seconds, and `tocsin check` warns of the landline.
    """
    world.pager.write("pay.yaml", FILE)
    sms = world.pager.until(world.sent)[0]
    assert sms["callback"].startswith(f"{world.url}/twilio/status?try=")
    path = sms["callback"].removeprefix(world.url)
    forged = status("failed", sms["sid"])
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    wrong = signature("another token", sms["callback"], forged)
    assert world.answers(path, urlencode(forged).encode(), X_Twilio_Signature=wrong, **form) == 204
    world.pager.until(lambda: world.pager.said("webhook refused"))
    assert world.pager.mails("page", "ana@example.com") == []
    for state in ("sent", "queued", "undelivered"):
        assert world.tell(sms["sid"], state, "30006" if state == "undelivered" else "") == 204
    page = world.pager.until(lambda: world.pager.mails("page", "ana@example.com"), 10)
    assert len(page) == 1
    warned = world.pager.run("check")
    assert warned.returncode == 0
    assert "config/all.yaml:3:57: warning: people.ana.phone: +14155550101 was refused on 20" in warned.stdout
