"""Attacks on answers by SMS, on the installed daemon and the stand-in for Twilio."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.pager import Pager
from tests.fakes.providers import StandInProcess

ANA, OURS, ACCOUNT = "+14155550101", "+15005550006", "AC" + "0" * 32
SETTINGS = """
operators: [olga]
last_resort: [olga]
public_url: https://pager.example.com
replies: {{by: webhook}}
email: {{sender: "Incidents <incidents@example.com>"}}
sms: {{transport: twilio, account_sid: {account}, api_url: '{url}', sender: "{ours}"}}
"""


@pytest.mark.attack
def test_a_file_that_is_no_yaml_is_acknowledged_by_command(tmp_path: Path) -> None:
    """Rule 32: before the daemon has seen it nothing is noted, and its record stays whole; then the running daemon hears
    of it, and pages nobody any more. A restart begins nothing anew.
    """
    pager = Pager(tmp_path)
    config = tmp_path / "config" / "all.yaml"
    config.write_text(config.read_text().replace("acknowledge_within: 5m", "acknowledge_within: 15s"))
    pager.start()
    pager.write("never.yaml", "title: x\n\tseverity: sev1\n")
    too_soon = pager.run("ack", "never", "--as", "bo")
    assert (too_soon.returncode, "nothing was noted" in too_soon.stderr) == (1, True)
    pager.until(lambda: pager.mails("page", "bo@example.com"))
    assert pager.run("ack", "never", "--as", "bo").returncode == 0
    time.sleep(17)
    assert pager.stop() == 0
    pager.start()
    assert pager.stop() == 0
    assert len(pager.mails("page", "bo@example.com")) == 1
    assert "fit together" not in pager.run("status").stdout + pager.log.read_text()


@pytest.fixture
def twilio(tmp_path: Path) -> Iterator[StandInProcess]:
    server = StandInProcess(tmp_path / "sms", "twilio", "--account", ACCOUNT, "--token", "secret")
    yield server
    server.close()


@pytest.mark.attack
def test_an_answer_while_nobody_takes_the_webhook(tmp_path: Path, twilio: StandInProcess) -> None:
    """S4: no web side runs; the `ok` is found within a minute, and answered once. The provider is asked for what came in
    at the start and each minute, not more often.
    """
    pager = Pager(tmp_path, TOCSIN_SMS__AUTH_TOKEN="secret", TOCSIN_WEB__SIGNING_KEY="k" * 32)
    settings = SETTINGS.format(account=ACCOUNT, url=twilio.place["url"], ours=OURS)
    (tmp_path / "config" / "tocsin.yaml").write_text(settings)
    pager.start()
    pager.write("pay.yaml", "title: Card payments fail\nseverity: sev1\nstatus: investigating\n")
    pager.until(lambda: twilio.arrived(ANA))
    twilio.order(inbound={"from": ANA, "to": OURS, "body": "ok"})
    began = time.monotonic()
    pager.until(lambda: len(twilio.arrived(ANA)) > 1, 75)
    assert time.monotonic() - began < 70
    status = json.loads(pager.run("status", "--format", "json").stdout)
    assert status["incidents"][0]["roles"]["technical_lead"]["person"] == "ana"
    assert status["incidents"][0]["roles"]["technical_lead"]["accepted"]
    time.sleep(65)
    assert len(twilio.arrived(ANA)) == 2
    assert pager.said("arrival") >= 1
    assert pager.stop() == 0
