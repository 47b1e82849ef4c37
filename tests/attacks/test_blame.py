"""Attacks by providers that put the blame on the wrong ones: a relay that denies, one that knows nobody, a sender that may
not send. Nobody's address is marked, everybody is paged another way, operators are told once and what to mend.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.test_providers import FILE, World
from tests.attacks.test_providers import OLGA, edit, mails, texts, told, truth

TEAM = {f"p{number}": f"+141555501{number}" for number in range(10, 30)}
"""Twenty people, each with a mailbox and a phone."""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    settings = tmp_path / "config" / "tocsin.yaml"
    settings.write_text(settings.read_text().replace("replies: {by: off}", "replies: {by: poll, every: 2s}"))
    people = "".join(f'  {name}: {{email: {name}@example.com, phone: "{phone}"}}\n' for name, phone in TEAM.items())
    edit(
        made,
        ("people:\n", f"people:\n{people}"),
        ("chain: [ana, bo]", f"chain: [[{', '.join(TEAM)}]]"),
        ("via: [sms, email]", "via: [email]"),
    )
    yield made
    made.close()


def paged_by_sms(world: World) -> set[str]:
    """Whose phone has a page."""
    return {sms["to"] for sms in truth(world, "twilio") if "technical lead" in sms["body"].lower()} & {*TEAM.values()}


def with_mail(world: World, kind: str) -> set[str]:
    """Who has a mail of that kind."""
    return {name for name in TEAM if mails(world, f"{name}@example.com", kind)}


def notices_by_sms(world: World) -> list[dict[str, Any]]:
    """What the operator got by SMS, the closing of the incident apart."""
    return [sms for sms in texts(world, OLGA) if sms["body"].startswith("tocsin ")]


def until_all(world: World, found: Callable[[World], set[str]], seconds: float) -> None:
    """Wait until nobody of the team is missing."""
    world.pager.until(lambda: len(found(world)) == len(TEAM), seconds)


@pytest.mark.parametrize(
    "reply",
    [
        "554 5.7.1 relay access denied",
        pytest.param("550 5.7.515 Access denied, sending domain does not meet the required authentication level",
                     marks=pytest.mark.attack),
        pytest.param("550 no such user here", marks=pytest.mark.attack),
    ],
)  # fmt: skip
def test_one_wrong_setting_takes_email_from_nobody(world: World, reply: str) -> None:
    """Rules 37 to 39, D7, E2: the relay refuses every reader, by its rules or because it knows nobody. All twenty are
    paged by SMS at once, the operator hears once and what to mend; when it is mended closings go by email.
    """
    world.wrong("smtp", "rcpt", reply)
    world.pager.start()
    began, taking = time.time(), world.pager.stopwatch()
    world.pager.write("pay.yaml", FILE)
    until_all(world, paged_by_sms, 25)
    assert max(sms["at"] for sms in truth(world, "twilio")) - began - taking.stood_in_line < 5
    world.pager.until(lambda: notices_by_sms(world))
    assert notices_by_sms(world)[0]["at"] - began - taking.stood_in_line < 5
    time.sleep(1)
    (notice,) = notices_by_sms(world)
    assert "Messages by email do not leave" in notice["body"]
    cures = {"554": "email.username", "550 5": "SPF, DKIM and DMARC", "550 n": "is email.host the server"}
    assert next(cure for start, cure in cures.items() if reply.startswith(start)) in notice["body"]
    world.wrong("smtp", "rcpt", "")
    world.pager.write("pay.yaml", FILE + "status: resolved\n")
    until_all(world, lambda world: with_mail(world, "closing"), 10)
    assert not mails(world, "p10@example.com", "page")
    told_story = world.pager.run("explain", "pay").stdout
    assert "Technical Lead" in told_story
    if not reply.startswith("550 n"):
        assert "any more" not in told_story
    assert "refused" not in world.pager.run("check").stdout


@pytest.mark.attack
@pytest.mark.parametrize("reply", ["554 5.7.1 relay access denied", "550 no such user here"])
def test_pages_go_by_email_once_the_relay_is_mended(world: World, reply: str) -> None:
    """Rule 38: tries go on; where it was three addresses in a row their pages go once more by themselves."""
    world.wrong("smtp", "rcpt", reply)
    world.pager.start()
    world.pager.write("pay.yaml", FILE)
    until_all(world, paged_by_sms, 10)
    world.wrong("smtp", "rcpt", "")
    until_all(world, lambda world: with_mail(world, "page"), 80)
    world.pager.until(lambda: "Messages by email leave again" in told(world), 70)
    assert "is refused" not in told(world)
    assert all(len(mails(world, f"{name}@example.com", "page")) == 1 for name in TEAM)
    assert len(paged_by_sms(world)) == len([sms for sms in truth(world, "twilio") if sms["to"] in TEAM.values()])


@pytest.mark.attack
def test_three_mistyped_addresses_are_not_asked_for_ever(world: World) -> None:
    """The corner to rule 38: the relay knows none of three people, and all others. It is asked once more, and then they
    are refused; the others have their mails.
    """
    mistyped = ["p10", "p11", "p12"]
    edit(world, (f"[{', '.join(TEAM)}]", f"[{', '.join(mistyped)}]"))
    for name in mistyped:
        unknown = {"phase": "rcpt", "fault": "550 5.1.1 no such user", "times": None, "to": f"{name}@example.com"}
        world.order("smtp", unknown)
    world.pager.start()
    world.pager.write("pay.yaml", FILE)
    world.pager.until(lambda: len(paged_by_sms(world)) == 3, 10)
    world.pager.until(lambda: all(f"{name}'s address is refused" in told(world) for name in mistyped), 100)
    time.sleep(60)
    log = world.pager.log.read_text().splitlines()
    tries = [line for line in log if '"tried"' in line and '"page"' in line and '"email"' in line]
    assert len(tries) <= 6, tries
    assert world.pager.run("check").stdout.count("was refused on") == 3


@pytest.mark.attack
def test_an_unregistered_sender_is_told_with_the_registration(world: World) -> None:
    """Rules 38, 39, S5: 30034 as a receipt: every page goes by email as well at once, and the operator reads what to
    register; nobody's number is marked.
    """
    edit(world, ("via: [email]", "via: [sms]"))
    world.order("twilio", {"end": {"to": "*", "status": "undelivered", "code": 30034}})
    world.pager.start()
    began = time.time()
    world.pager.write("pay.yaml", FILE)
    until_all(world, lambda world: with_mail(world, "page"), 20)
    world.pager.until(lambda: "(30034)" in told(world), 15)
    assert mails(world, "olga@example.com", "operator")[0]["at"] - began < 15
    assert "register the sender for A2P 10DLC" in told(world)
    assert "is refused" not in told(world)
    time.sleep(5)
    assert len(mails(world, "olga@example.com", "operator")) == 1


@pytest.mark.attack
def test_a_mail_that_is_too_big_is_no_fault_of_its_reader(world: World) -> None:
    """Rule 37: 552 5.3.4 at the dot, once: the SMS goes at once, the next mail to that address arrives."""
    edit(world, (f"[{', '.join(TEAM)}]", "[p10]"))
    world.wrong("smtp", "dot", "552 5.3.4 message too big", 1)
    world.pager.start()
    world.pager.write("pay.yaml", FILE)
    world.pager.until(lambda: len(paged_by_sms(world)) == 1, 5)
    world.pager.until(lambda: "A message by email was refused" in told(world), 10)
    assert "its address stays good" in told(world)
    world.pager.write("pay.yaml", FILE + "status: resolved\n")
    world.pager.until(lambda: mails(world, "p10@example.com", "closing"), 10)
    assert not mails(world, "p10@example.com", "page")
    assert "refused this once (552 5.3.4" in world.pager.run("explain", "pay").stdout
