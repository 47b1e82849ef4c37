"""What operators read while the daemon is in trouble, on the real process: soon, true, and to the end (rule 39)."""

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.test_providers import World
from tests.fakes.orders import written
from tests.fakes.pager import CONFIG, ROOMY, Pager

FILE = "title: Card payments fail\nseverity: sev1\n"


@pytest.fixture
def pager(tmp_path: Path) -> Iterator[Pager]:
    pager = Pager(tmp_path, **ROOMY)
    yield pager
    if pager.process is not None:
        pager.stop(signal.SIGKILL)


def texts(pager: Pager) -> list[dict[str, Any]]:
    """The SMS to operators in the outbox, in order."""
    files = [pager.folder / "var" / "outbox" / name for name in pager.texts()]
    found = [json.loads(path.read_text()) for path in files]
    return [sms for sms in found if sms["kind"] == "operator"]


def test_operators_hear_within_three_seconds(pager: Pager) -> None:
    """Rule 39: a field is dropped: the mail is there within 3 s, says where and what to do, and nobody is woken."""
    pager.start()
    taking = pager.stopwatch()
    pager.write("pay.yaml", FILE + "eta: noon\n")
    (mail,) = pager.until(lambda: pager.mails("operator"))
    assert taking.seconds < 3.5, "and half a second for the process"
    assert str(mail["Subject"]).endswith(": Problems in incidents/pay.yaml")
    text = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "incidents/pay.yaml:3:6: error: eta" in text
    assert "docs/operators.md, section “file-faulty”" in text
    assert texts(pager) == []


@pytest.mark.attack
def test_the_end_is_told_also_by_the_next_process(pager: Pager) -> None:
    """Rule 39: the config is refused and told; the daemon is stopped, the config mended, the daemon started: operators
    hear that it is good again, once, also if it is started once more.
    """
    file = pager.folder / "config" / "all.yaml"
    pager.start()
    file.write_text(CONFIG + "rolees: {}\n")
    pager.until(lambda: len(texts(pager)) == 1)
    assert "The config was refused" in texts(pager)[0]["body"]
    pager.stop()
    file.write_text(CONFIG)
    for _ in range(2):
        pager.start()
        time.sleep(6)
        pager.stop()
    told = texts(pager)
    assert [sms["segments"] for sms in told] == [1, 1]
    assert "The config is good again" in told[1]["body"]
    assert len(pager.mails("operator")) == 2


@pytest.mark.attack
def test_a_mail_server_that_refuses_the_login(tmp_path: Path) -> None:
    """Rules 38 and 39: operators hear of it by SMS, at once and with the secret to look at; that it takes mails again they
    hear by both ways; the complaint itself never comes late by mail.
    """
    world = World(tmp_path)
    try:
        world.pager.start()
        world.wrong("smtp", "auth", "535 5.7.8 Error: authentication failed")
        world.pager.write("pay.yaml", FILE)
        told = world.pager.until(lambda: to_olga(world, "twilio"))
        assert len(told) == 1
        assert "Messages by email do not leave" in told[0]["body"]
        assert "TOCSIN_EMAIL__PASSWORD" in told[0]["body"]
        world.wrong("smtp", "auth", "")
        told = world.pager.until(lambda: (sms := to_olga(world, "twilio")) and len(sms) == 2 and sms, 100)
        assert "Messages by email leave again" in told[1]["body"]
        (mail,) = world.pager.until(lambda: to_olga(world, "smtp"))
        assert "Messages by email leave again" in mail["data"]
        assert "do not leave" not in mail["data"]
    finally:
        world.close()


def to_olga(world: World, name: str) -> list[dict[str, Any]]:
    """What truly arrived at the operator by a provider."""
    return [message for message in written(world.truth[name]) if message["to"] in {"+14155550103", "olga@example.com"}]
