"""The installed daemon with a real mail server (STARTTLS, AUTH) and a stand-in for the SMS provider that go wrong."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.pager import ROOMY, SETTINGS, Pager
from tests.fakes.providers import StandInProcess

ACCOUNT = "AC" + "0" * 32
FILE = "title: Card payments fail\nseverity: sev1\n"
ANA, SMS = "ana@example.com", "+14155550101"


class World:
    """A pager, and the two providers with the truth of what arrived."""

    def __init__(self, folder: Path) -> None:
        self.running: dict[str, StandInProcess] = {}
        self.truth = {name: folder / f"{name}.truth" for name in ("smtp", "twilio")}
        (folder / "ca").mkdir()
        smtp = self._serve(
            "smtp", ["--tls", "starttls", "--user", "tocsin", "--password", "pw", "--dir", str(folder / "ca")]
        )
        twilio = self._serve("twilio", ["--account", ACCOUNT, "--token", "token"])
        self.pager = Pager(folder, TOCSIN_SMS__AUTH_TOKEN="token", TOCSIN_EMAIL__PASSWORD="pw", **ROOMY)
        email = (
            f"transport: smtp, host: localhost, port: {smtp['port']}, username: tocsin, ca_file: '{smtp['ca_file']}'"
        )
        sms = f"transport: twilio, account_sid: {ACCOUNT}, api_url: '{twilio['url']}'"
        settings = SETTINGS.replace("email: {", f"email: {{{email}, ").replace("sms: {", f"sms: {{{sms}, ")
        (folder / "config" / "tocsin.yaml").write_text(settings + "replies: {by: off}\n")

    def _serve(self, name: str, more: list[str]) -> dict[str, Any]:
        self.running[name] = StandInProcess(self.truth[name], name, *more)
        return self.running[name].place

    def wrong(self, name: str, phase: str, fault: str, times: int | None = None) -> None:
        """From now on a server goes wrong at a phase."""
        self.order(name, {"phase": phase, "fault": fault, "times": times})

    def order(self, name: str, order: dict[str, Any]) -> None:
        """Tell a server what to do; it has done so when this returns."""
        self.running[name].order(**order)

    def arrived(self) -> Counter[str]:
        """How many messages truly arrived at each address."""
        found: Counter[str] = Counter()
        for process in self.running.values():
            for message in process.arrived():
                found.update([message["to"]] if isinstance(message["to"], str) else message["to"])
        return found

    def close(self) -> None:
        """End everything."""
        if self.pager.process is not None:
            self.pager.stop()
        for process in self.running.values():
            process.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def test_all_is_well(world: World) -> None:
    """Over STARTTLS with a login, and by the provider's API: each message once."""
    world.pager.start()
    world.pager.write("pay.yaml", FILE)
    world.pager.until(lambda: len(world.arrived()) >= 3)
    assert world.arrived() == Counter([ANA, SMS, "support@example.com"])


def test_a_refused_number_goes_by_no_other_message_twice(world: World) -> None:
    """An opted-out number: the email that went along is the page, and nothing is sent to the number again."""
    world.wrong("twilio", "create", "code 21610")
    world.pager.start()
    world.pager.write("pay.yaml", FILE)
    world.pager.until(lambda: world.arrived()[ANA] >= 1)
    world.pager.until(lambda: '"refused"' in world.pager.log.read_text())
    assert world.arrived()[ANA] == 1
    assert world.arrived()[SMS] == 0


def test_a_relay_that_drops_after_the_dot(world: World) -> None:
    """The mail arrived and the reply did not: the SMS is there at once, a second copy of the mail not before 30 s."""
    world.wrong("smtp", "dot", "drop")
    world.pager.start()
    world.pager.write("pay.yaml", FILE)
    world.pager.until(lambda: world.arrived()[SMS] >= 1 and world.arrived()[ANA] >= 1)
    world.pager.until(lambda: '"uncertain"' in world.pager.log.read_text())
    assert world.arrived()[ANA] == 1


def test_an_api_that_takes_and_never_answers(world: World) -> None:
    """Accepted, and the connection dropped: the provider's list is asked, and there is one SMS."""
    world.wrong("twilio", "create", "drop", 1)
    world.pager.start()
    world.pager.write("pay.yaml", FILE)
    world.pager.until(lambda: world.pager.log.read_text().count('"uncertain"') >= 1)
    world.pager.until(lambda: world.arrived()[SMS] >= 1 and world.arrived()[ANA] >= 1)
    world.pager.stop()
    world.pager.start()
    assert world.arrived()[SMS] == 1


def test_no_starttls_no_mail(world: World) -> None:
    """Where STARTTLS is asked for and not offered nothing goes in the clear; the SMS goes, operators hear by SMS."""
    world.wrong("smtp", "offer", "hide")
    world.pager.start()
    world.pager.write("pay.yaml", FILE)
    world.pager.until(lambda: world.arrived()[SMS] >= 1 and world.arrived()["+14155550103"] >= 1, 40)
    assert world.arrived()[ANA] == 0
