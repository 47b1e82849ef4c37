"""Attacks on the installed daemon by storms: fifty and a thousand incidents at once, and kills in the midst of them."""

import json
import re
import signal
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.providers import Providers

ANA, BO, OLGA = "+14155550101", "+14155550102", "+14155550103"
LIMITS = "limits: {sms: {burst: 3, every: 10s}, email: {burst: 10, every: 5s}}"
SEV2 = """
  sev2:
    title: Major
    page: {roles: [technical_lead], via: [sms, email], acknowledge_within: 5m}
"""
PAGES = """
select notifications.key, notifications.incident, attempts.via, json_extract(outcome, '$.provider_id'),
  possible_duplicate, json_extract(outcome, '$.is')
from notifications left join attempts on attempts.key = notifications.key where kind = 'page'
"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Providers]:
    made = Providers(tmp_path, LIMITS)
    path = tmp_path / "config" / "all.yaml"
    path.write_text(path.read_text().rstrip("\n") + SEV2)
    yield made
    made.close()


def title(number: int) -> str:
    """The title of an incident of the storm."""
    return f"Queue {number:04} grows"


def blow(world: Providers, count: int, severity: str = "sev2") -> None:
    """So many incidents at once."""
    for number in range(count):
        world.pager.write(f"i{number:04}.yaml", f"title: {title(number)}\nseverity: {severity}\n")


def accepted(world: Providers) -> int:
    """Open incidents whose Technical Lead is there."""
    incidents = json.loads(world.pager.run("status", "--format", "json").stdout)["incidents"]
    return sum(bool(incident["roles"]["technical_lead"]["accepted"]) for incident in incidents)


def pages_of(world: Providers, number: str) -> list[str]:
    """The texts of the pages that came by SMS."""
    return [sms["body"] for sms in world.texts(number) if re.search(r"\bok ([A-Z0-9]\d|all)\b", sms["body"])]


def told_of(world: Providers, address: str) -> dict[int, int]:
    """How many mails named each incident to an address."""
    count: dict[int, int] = {}
    for mail in world.mails(address):
        for number in {int(found) for found in re.findall(r"Queue (\d{4}) grows", mail["data"].replace("=\n", ""))}:
            count[number] = count.get(number, 0) + 1
    return count


def recorded(world: Providers) -> list[tuple[str, str, str, str, str, str]]:
    """Key, incident, channel, the provider's id, why it may be a copy, and how it ended, of each try of a page."""
    with sqlite3.connect(f"file:{world.pager.folder}/var/tocsin.db?mode=ro", uri=True) as ledger:
        return list(ledger.execute(PAGES))


def nothing_lost_nothing_doubled(world: Providers, count: int) -> None:
    """Each incident's page is recorded as taken by SMS, under a name that the provider knows; each is in a mail; and
    where it is in two, the second is recorded as a possible copy.
    """
    rows = recorded(world)
    known = {sms["sid"] for sms in world.texts(ANA)}
    by_sms = {incident for _, incident, via, sid, _, _ in rows if via == "sms" and sid in known}
    assert len(by_sms) == count, f"{count - len(by_sms)} lost by SMS"
    mails = told_of(world, "ana@example.com")
    assert len(mails) == count, f"{count - len(mails)} lost by email"
    tagged = {incident for _, incident, via, _, cause, _ in rows if via == "email" and cause}
    doubled = {number for number, times in mails.items() if times > 1}
    assert {f"i{number:04}" for number in doubled} <= tagged
    copies = {sid for _, _, via, sid, cause, _ in rows if via == "sms" and cause}
    alone = [sms for sms in world.texts(ANA) if "Queue" in sms["body"] and " all" not in sms["body"]]
    for number in range(count):
        same = [sms["sid"] for sms in alone if title(number) in sms["body"]]
        assert len(same) <= 1 or set(same) & copies, f"{title(number)} twice by SMS, untagged"


@pytest.mark.attack
def test_fifty_at_once(world: Providers) -> None:
    """Rules 45 to 48: ana gets three SMS and a bundle, in one segment; a SEV1 in the midst of it is there at once;
    `ok all` accepts all that she was paged for, and no more come.
    """
    world.pager.start()
    blow(world, 50)
    world.pager.until(lambda: len(pages_of(world, ANA)) >= 3, 10)
    world.pager.write("worst.yaml", "title: Everything is down\nseverity: sev1\n")
    began = time.time()
    world.pager.until(lambda: world.texts(ANA, "Everything is down"), 5)
    assert world.texts(ANA, "Everything is down")[0]["at"] - began < 5
    world.pager.until(lambda: world.texts(ANA, "ok all"), 20)
    bundle = world.texts(ANA, "ok all")[0]["body"]
    assert len(bundle) <= 160, bundle
    assert "47" in bundle, bundle
    assert len(pages_of(world, ANA)) == 5
    world.answer(ANA, "ok all")
    world.pager.until(lambda: accepted(world) == 51, 20)
    assert world.settled(lambda: len(pages_of(world, ANA)), 12) == 5
    assert len(world.mails("ana@example.com")) <= 14


@pytest.mark.attack
def test_a_thousand_at_once(world: Providers) -> None:
    """Rules 45 to 48: a thousand incidents in an instant: few messages, nothing lost, one answer accepts all."""
    world.pager.start()
    blow(world, 1000)
    world.pager.until(lambda: len(told_of(world, "ana@example.com")) == 1000, 90)
    world.settled(lambda: len(world.texts(ANA)), 12)
    assert len(pages_of(world, ANA)) <= 8
    assert len(world.mails("ana@example.com")) <= 20
    nothing_lost_nothing_doubled(world, 1000)
    world.answer(ANA, "ok all")
    world.pager.until(lambda: accepted(world) == 1000, 60)
    assert not world.texts(BO)


@pytest.mark.attack
def test_a_kill_while_pages_wait_for_room(world: Providers) -> None:
    """Rules 45, 47, P3: killed when three pages are out and 47 wait; after the start they leave as bundles, the room is
    what it was, nothing is lost, and nothing is doubled but what was under way.
    """
    world.pager.start()
    blow(world, 50)
    world.pager.until(lambda: len(pages_of(world, ANA)) >= 3, 10)
    world.pager.stop(signal.SIGKILL)
    world.pager.start()
    time.sleep(5)
    assert len(pages_of(world, ANA)) <= 4, pages_of(world, ANA)
    world.pager.until(lambda: len(told_of(world, "ana@example.com")) == 50, 40)
    world.pager.until(lambda: world.texts(ANA, "ok all"), 20)
    world.settled(lambda: len(world.texts(ANA)), 12)
    nothing_lost_nothing_doubled(world, 50)
    assert len(pages_of(world, ANA)) <= 6, pages_of(world, ANA)
    world.answer(ANA, "ok all")
    world.pager.until(lambda: accepted(world) == 50, 20)


@pytest.mark.attack
@pytest.mark.parametrize("fault", ["slow 4 drop", "slow 4 lose"], ids=["it was taken", "it was not"])
def test_a_kill_while_a_bundle_is_sent(world: Providers, fault: str) -> None:
    """Rules 40, 47, P3: killed while the provider has the bundle's request; after the start its list is asked: taken, it
    is not sent again; not taken, it is sent once.
    """
    world.pager.start()
    blow(world, 50)
    world.pager.until(lambda: len(pages_of(world, ANA)) >= 3, 10)
    world.twilio.wrong("create", fault, 1)
    world.pager.until(lambda: any(row[5] is None and row[2] == "sms" for row in recorded(world)), 20)
    time.sleep(1)
    world.pager.stop(signal.SIGKILL)
    time.sleep(4)
    world.pager.start()
    world.pager.until(lambda: world.texts(ANA, "ok all"), 60)
    world.pager.until(lambda: len(told_of(world, "ana@example.com")) == 50, 40)
    world.settled(lambda: len(world.texts(ANA)), 30)
    assert len(world.texts(ANA, "ok all")) == 1, world.texts(ANA, "ok all")
    nothing_lost_nothing_doubled(world, 50)
    world.answer(ANA, "ok all")
    world.pager.until(lambda: accepted(world) == 50, 20)


@pytest.mark.attack
@pytest.mark.parametrize("sick", ["relay", "twilio", "both"])
def test_a_storm_with_sick_providers(world: Providers, sick: str) -> None:
    """Rules 45 to 50: fifty at once while the first relay denies, the first account is busy, or both: nothing is lost or
    doubled, nobody is marked, few messages.
    """
    if sick != "twilio":
        world.relay.wrong("rcpt", "554 5.7.1 relay access denied")
    if sick != "relay":
        world.twilio.wrong("create", "429")
    world.pager.start()
    blow(world, 50)
    world.pager.until(lambda: len(told_of(world, "ana@example.com")) == 50, 60)
    world.pager.until(lambda: world.texts(ANA, "ok all"), 40)
    world.settled(lambda: len(world.texts(ANA)), 12)
    nothing_lost_nothing_doubled(world, 50)
    assert len(pages_of(world, ANA)) <= 6
    assert '"outcome": "refused"' not in world.pager.log.read_text()
    world.answer(ANA, "ok all")
    world.pager.until(lambda: accepted(world) == 50, 20)


@pytest.mark.attack
def test_a_page_in_a_storm_explains_itself(world: Providers) -> None:
    """P6: while it waits `explain` says by when it leaves, and it does; then in whose company, and both ways on. What is
    said of one incident of fifty fits a screen.
    """
    world.pager.start()
    blow(world, 50)
    world.pager.until(lambda: len(pages_of(world, ANA)) >= 3, 10)
    untried = world.pager.until(lambda: [incident for _, incident, via, _, _, end in recorded(world) if not via], 5)
    incident = untried[-1]

    def explained() -> str:
        return " ".join(world.pager.run("explain", incident).stdout.split())

    waits = world.pager.until(lambda: "waits for room" in (said := explained()) and said, 8)
    latest = re.search(r"the SMS leaves by (\d\d:\d\d:\d\d), as one with whatever else waits there", waits)
    assert latest, waits
    left = world.pager.until(
        lambda: re.search(r"one SMS at (\S+) carried this and (\d+) other pages: (.*)", explained()), 20
    )
    assert left[1] <= latest[1], "later than it said"
    assert int(left[2]) == 46
    assert re.match(r"i\d{4}, i\d{4}, i\d{4}, i\d{4} and 42 more incidents", left[3])
    done = world.pager.run("explain", incident, "--all")
    assert len(set(re.findall(r"\bi\d{4}\b", done.stdout))) == 47
    assert max(map(len, done.stdout.splitlines())) <= 100
    world.pager.run("resolve", incident, "done")
    review = world.pager.folder / "reviews" / f"{incident}.md"
    world.pager.until(lambda: review.exists() and "in one message with 46 other pages" in review.read_text(), 10)
