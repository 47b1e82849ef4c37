"""The installed daemon with two mail servers and two accounts for SMS, of which the first ones are sick (rules 49, 50)."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.pager import SETTINGS, Pager
from tests.fakes.providers import StandInProcess

FIRST, SECOND = "AC" + "0" * 32, "AC" + "1" * 32
FILE = "title: Card payments fail\nseverity: sev1\n"
ANA, SMS = "ana@example.com", "+14155550101"


class World:
    """A pager with four providers, each a process of its own, and the truth of what arrived at each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running: dict[str, StandInProcess] = {}
        relays = [self._serve(name, "smtp") for name in ("relay", "relay-2")]
        accounts = [
            self._serve(name, "twilio", "--account", account, "--token", token)
            for name, account, token in (("account", FIRST, "token"), ("account-2", SECOND, "token-2"))
        ]
        self.pager = Pager(folder, TOCSIN_SMS__AUTH_TOKEN="token", TOCSIN_SMS__FALLBACKS__BACKUP__AUTH_TOKEN="token-2")
        email = f"transport: smtp, security: none, host: localhost, port: {relays[0]['port']}, "
        email += f"fallbacks: {{backup: {{security: none, host: localhost, port: {relays[1]['port']}}}}}, "
        sms = f"transport: twilio, account_sid: {FIRST}, api_url: '{accounts[0]['url']}', fallbacks: {{backup: "
        sms += f"{{account_sid: {SECOND}, api_url: '{accounts[1]['url']}', sender: '+15005550007'}}}}, "
        settings = SETTINGS.replace("email: {", f"email: {{{email}").replace("sms: {", f"sms: {{{sms}")
        (folder / "config" / "tocsin.yaml").write_text(settings + "replies: {by: off}\n")

    def _serve(self, name: str, server: str, *more: str) -> dict[str, Any]:
        self.running[name] = StandInProcess(self.folder / f"{name}.truth", server, *more)
        return self.running[name].place

    def wrong(self, name: str, phase: str, fault: str) -> None:
        """From now on a provider goes wrong at a phase; an empty fault ends that."""
        self.running[name].wrong(phase, fault)

    def arrived(self, *names: str) -> Counter[str]:
        """How many messages truly arrived at each address, by these providers or by all."""
        count: Counter[str] = Counter()
        for name in names or tuple(self.running):
            for message in self.running[name].arrived():
                count.update([message["to"]] if isinstance(message["to"], str) else message["to"])
        return count

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


@pytest.mark.attack
def test_pages_leave_by_the_fallbacks_of_both_channels(world: World) -> None:
    """Rules 49, 50: a relay that denies and an account that is closed cost nobody a page; each is there once, nobody is
    marked, `explain` and `send-test` name the providers, operators hear what is sick and what to do.
    """
    world.wrong("relay", "rcpt", "554 5.7.1 relay access denied")
    world.wrong("account", "create", "401 20003")
    pager = world.pager
    pager.start()
    pager.write("pay.yaml", FILE)
    pager.until(lambda: world.arrived()[ANA] >= 1 and world.arrived()[SMS] >= 1, 10)
    assert world.arrived("relay", "account") == Counter()
    assert world.arrived()[ANA] == world.arrived()[SMS] == 1
    sick = pager.until(lambda: [line for line in pager.log.read_text().splitlines() if '"provider-unwell' in line])
    assert any('messages leave by \\"backup\\" meanwhile' in line for line in sick)
    explained = pager.until(lambda: pager.run("explain", "pay").stdout)
    assert "backup" in explained
    assert "cannot be reached" not in pager.log.read_text()

    done = pager.run("send-test", "ana", "--provider", "backup")
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.partition("  accepted")[0] for line in done.stdout.splitlines()] == [
        f"sms   {SMS} by backup",
        f"email {ANA} by backup",
    ]
    failed = pager.run("send-test", "ana", "--provider", "main")
    assert failed.returncode == 1
    assert "TOCSIN_SMS__AUTH_TOKEN" in failed.stdout
    assert "relay access denied" in failed.stdout
    unknown = pager.run("send-test", "ana", "--provider", "bakcup")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert unknown.stderr == ('the config has no provider "bakcup"; did you mean "backup"?; it has main, backup\n')
