"""Attacks on the installed daemon by two mail servers and two accounts: sick together, in turn, and across a kill; and by
a commit that leads messages elsewhere.
"""

import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.test_fallbacks import ANA, FILE, SMS, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


@pytest.mark.attack
def test_a_kill_while_the_first_ones_hang(world: World) -> None:
    """Rules 40, 49, 70: killed in the midst of both tries, the next process looks up what it can where it was, and each
    page is there once; nobody is marked.
    """
    world.wrong("relay", "connect", "hang")
    world.wrong("account", "create", "slow 60 lose")
    world.pager.start()
    world.pager.write("pay.yaml", FILE)
    time.sleep(3)
    world.pager.stop(signal.SIGKILL)
    assert world.arrived()[ANA] + world.arrived()[SMS] == 0
    world.pager.start()
    world.pager.until(lambda: world.arrived()[ANA] >= 1 and world.arrived()[SMS] >= 1, 90)
    time.sleep(5)
    assert (world.arrived()[ANA], world.arrived()[SMS]) == (1, 1)
    assert "cannot be reached" not in world.pager.log.read_text()


@pytest.mark.attack
def test_both_sick_then_each_well_again(world: World) -> None:
    """Rules 38, 49, 50: while nothing takes a page it waits for no schedule of a sick provider: it is out within a
    minute and a bit of whichever is well again first, once, and nothing of it is lost.
    """
    for relay in ("relay", "relay-2"):
        world.wrong(relay, "rcpt", "554 5.7.1 relay access denied")
    for account in ("account", "account-2"):
        world.wrong(account, "create", "401 20003")
    world.pager.start()
    world.pager.write("pay.yaml", FILE)
    world.pager.until(lambda: '"provider-refuses:SMS:' in world.pager.log.read_text(), 20)
    world.pager.until(lambda: '"provider-refuses:email:' in world.pager.log.read_text(), 20)
    assert world.arrived() == Counter()
    world.wrong("relay-2", "rcpt", "")
    world.wrong("account", "create", "")
    world.pager.until(lambda: world.arrived("relay-2")[ANA] >= 1 and world.arrived("account")[SMS] >= 1, 80)
    time.sleep(3)
    assert (world.arrived()[ANA], world.arrived()[SMS]) == (1, 1)


@pytest.mark.attack
def test_a_commit_leads_nothing_elsewhere(world: World) -> None:
    """F3: `api_url` and `host` in a changed config get neither a message nor a secret; operators hear that it waits."""
    world.pager.start()
    path = world.folder / "config" / "tocsin.yaml"
    text = path.read_text()
    before, after = text.split("fallbacks: {backup: {account_sid")
    evil = after.partition("api_url: '")[2].partition("'")[0]
    first = before.rpartition("api_url: '")[2].partition("'")[0]
    path.write_text(text.replace(first, evil, 1).replace("host: localhost", "host: evil.invalid", 1))
    log = world.pager.log
    told = world.pager.until(lambda: [line for line in log.read_text().splitlines() if "settings-need-restart" in line])
    assert "email.host" in told[0]
    assert "sms.api_url" in told[0]
    world.pager.write("pay.yaml", FILE)
    world.pager.until(lambda: world.arrived("relay")[ANA] >= 1 and world.arrived("account")[SMS] >= 1, 20)
    assert world.arrived("relay-2", "account-2") == Counter()
