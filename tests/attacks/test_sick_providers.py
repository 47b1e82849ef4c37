"""Attacks on the installed daemon with two mail servers and two SMS accounts, of which any one, then both, are sick."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.providers import Providers, StandInProcess

ANA, BO, OLGA = "+14155550101", "+14155550102", "+14155550103"
FILE = "title: Card payments fail\nseverity: sev1\n"
MAIL_SICKNESS = {
    "denies": ("rcpt", "554 5.7.1 relay access denied"),
    "login": ("mail", "530 5.7.0 authentication required"),
    "records": ("dot", "550 5.7.515 access denied, domain does not meet the required authentication level"),
    "blocked": ("connect", "521 5.3.2 no mail from you"),
    "hangs": ("connect", "hang"),
    "late": ("rcpt", "421 4.3.0 going down"),
}
SMS_SICKNESS = {
    "token": ("create", "code 20003 401"),
    "sender": ("create", "code 21606"),
    "day": ("create", "code 63038 429"),
    "busy": ("create", "429"),
    "lost": ("create", "lose"),
}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Providers]:
    made = Providers(tmp_path)
    yield made
    made.close()


def unmarked(world: Providers) -> bool:
    """Nobody's address is refused, by what operators read and by the log."""
    return "address is refused" not in world.told() and '"outcome": "refused"' not in world.pager.log.read_text()


@pytest.mark.attack
@pytest.mark.parametrize("sickness", [*MAIL_SICKNESS])
def test_the_first_relay_is_sick(world: Providers, sickness: str) -> None:
    """Rule 49: each mail is at the second relay: at once if nothing can be with the first, else within 30 s; the page by
    SMS is as it was; nobody is marked; the operator hears, and hears of the return.
    """
    world.relay.wrong(*MAIL_SICKNESS[sickness])
    world.pager.start()
    world.pager.write("pay.yaml", FILE)
    soon = 32 if sickness == "hangs" else 4
    world.pager.until(lambda: world.mails("ana@example.com"), soon)
    world.pager.until(lambda: world.mails("support@example.com", "update"), soon + 30)
    assert len(world.texts(ANA)) == 1
    assert world.relay.arrived() == []
    if sickness not in ("hangs", "late"):  # of those operators hear when they have failed three times
        world.pager.until(lambda: "does not take messages" in world.told() or "do not leave" in world.told(), 15)
    assert unmarked(world)
    world.relay.wrong(MAIL_SICKNESS[sickness][0], "")
    news = "updates:\n"
    for number in range(14):
        news += f"  - {{text: News {number}, public: News {number}}}\n"
        world.pager.write("pay.yaml", FILE + news)
        time.sleep(5)
    assert world.relay.arrived("support@example.com"), "the first relay is not tried again"
    assert len(world.mails("ana@example.com")) == 1


@pytest.mark.attack
@pytest.mark.parametrize("sickness", [*SMS_SICKNESS])
def test_the_first_account_is_sick(world: Providers, sickness: str) -> None:
    """Rule 49: the page by SMS leaves by the second account, once: at once if nothing can be with the first, else after
    three looks in its list; an answer to the second's number counts.
    """
    world.twilio.wrong(*SMS_SICKNESS[sickness])
    world.pager.start()
    world.pager.write("pay.yaml", FILE)
    world.pager.until(lambda: world.twilio2.arrived(ANA), 75 if sickness == "lost" else 3)
    world.pager.until(lambda: world.mails("ana@example.com"), 3)
    world.answer(ANA, "ok")
    world.pager.until(lambda: world.texts(ANA, "You are Technical Lead"), 40 if sickness == "lost" else 10)
    assert world.settled(lambda: len(world.texts(ANA))) == 2
    assert unmarked(world)
    assert not world.texts(BO)


@pytest.mark.attack
def test_both_relays_are_sick(world: Providers) -> None:
    """Rules 38, 49: mails go nowhere; pages are out by SMS at once; the operator reads what to mend, once, by SMS."""
    path = world.pager.folder / "config" / "all.yaml"
    path.write_text(path.read_text().replace("via: [sms, email]", "via: [email]"))
    for relay in (world.relay, world.relay2):
        relay.wrong("rcpt", "554 5.7.1 relay access denied")
    world.pager.start()
    world.pager.write("pay.yaml", FILE)
    world.pager.until(lambda: world.texts(ANA), 3)
    world.pager.until(lambda: world.texts(OLGA), 15)
    time.sleep(20)
    assert len(world.texts(OLGA)) <= 2, world.texts(OLGA)
    assert len(world.texts(ANA)) == 1
    assert not world.texts(BO)
    assert unmarked(world)
    world.relay2.wrong("rcpt", "")
    world.pager.until(lambda: world.mails("ana@example.com"), 75)
    assert world.settled(lambda: len(world.mails("ana@example.com"))) == 1


@pytest.mark.attack
def test_both_accounts_are_sick(world: Providers) -> None:
    """Rules 38, 49: SMS go nowhere; the page is out by mail at once, the operator reads by mail what to mend."""
    world.twilio.wrong("create", "code 20003 401")
    world.twilio2.wrong("create", "code 21606")
    path = world.pager.folder / "config" / "all.yaml"
    path.write_text(path.read_text().replace("via: [sms, email]", "via: [sms]"))
    world.pager.start()
    world.pager.write("pay.yaml", FILE)
    world.pager.until(lambda: world.mails("ana@example.com"), 3)
    world.pager.until(lambda: "TOCSIN_SMS__AUTH_TOKEN" in world.told(), 15)
    assert unmarked(world)
    world.twilio.wrong("create", "")
    world.pager.until(lambda: world.texts(ANA), 75)
    assert world.settled(lambda: len(world.texts(ANA))) == 1


@pytest.mark.attack
def test_all_four_are_sick_and_one_comes_back(world: Providers) -> None:
    """Rules 49, 50: nothing leaves; each is tried with every message, and whichever is well first has the page."""
    for relay in (world.relay, world.relay2):
        relay.order(away=True)
    for twilio in (world.twilio, world.twilio2):
        twilio.wrong("create", "429")
    world.pager.start()
    world.pager.write("pay.yaml", FILE)
    time.sleep(20)
    assert not world.texts(ANA)
    world.twilio2.wrong("create", "")
    world.pager.until(lambda: world.texts(ANA), 75)
    world.relay2.order(away=False)
    world.pager.until(lambda: world.mails("ana@example.com"), 75)
    world.pager.until(lambda: world.mails("support@example.com", "update"), 200)
    assert world.settled(lambda: len(world.texts(ANA))) == 1
    assert unmarked(world)


@pytest.mark.attack
@pytest.mark.parametrize("name", ["early", "late", "reordered", "repeated"])
def test_receipts_of_an_unregistered_sender(world: Providers, name: str) -> None:
    """Rules 38, 39: 30034 before the create's answer, late, after a later word, twice: the page goes by mail at once, the
    number stays good, and the operator reads once that the sender is to be registered.
    """
    courses: dict[str, list[tuple[float, str, str]]] = {
        "early": [(0, "undelivered", "30034")],
        "late": [(0, "sent", ""), (20, "undelivered", "30034")],
        "reordered": [(0.2, "undelivered", "30034"), (3, "sent", "")],
        "repeated": [(1, "undelivered", "30034"), (1, "undelivered", "30034"), (4, "undelivered", "30034")],
    }
    for twilio in (world.twilio, world.twilio2):
        twilio.order(course={"to": "*", "steps": courses[name]})
    path = world.pager.folder / "config" / "all.yaml"
    path.write_text(path.read_text().replace("via: [sms, email]", "via: [sms]"))
    world.pager.start()
    world.pager.write("pay.yaml", FILE)
    world.pager.until(lambda: world.mails("ana@example.com"), 30)
    world.pager.until(lambda: "30034" in world.told(), 15)
    assert "regist" in world.told()
    time.sleep(10)
    assert len(world.mails("ana@example.com")) == 1
    assert len(world.mails("olga@example.com", "operator")) <= 2
    assert unmarked(world)


def test_a_fallback_without_secrets(world: Providers) -> None:
    """One line with its place and what to set; the daemon runs, and with the first account sick the page is out by mail
    at once: the fallback's failure is its own, not the number's.
    """
    del world.pager.environ["TOCSIN_SMS__FALLBACKS__SECOND__AUTH_TOKEN"]
    done = world.pager.run("check")
    lines = [line for line in done.stdout.splitlines() if "SECOND" in line]
    assert len(lines) == 1, done.stdout
    assert "set TOCSIN_SMS__FALLBACKS__SECOND__AUTH_TOKEN" in lines[0]
    assert lines[0].startswith("config/tocsin.yaml:12:"), lines
    world.twilio.wrong("create", "code 20003 401")
    path = world.pager.folder / "config" / "all.yaml"
    path.write_text(path.read_text().replace("via: [sms, email]", "via: [sms]"))
    world.pager.start()
    taking = world.pager.stopwatch()
    world.pager.write("pay.yaml", FILE)
    world.pager.until(lambda: world.mails("ana@example.com"))
    assert taking.seconds < 3
    assert unmarked(world)


@pytest.mark.attack
@pytest.mark.parametrize(
    "limits", ["{sms: {burst: 0, every: 2m}}", "{sms: {burst: 3, every: 0s}}", "{email: {burst: -1}}", "{sms: 0}", "0"]
)
def test_limits_of_zero(world: Providers, limits: str) -> None:
    """One line with its place; nobody is held back for ever by a limit that lets nothing out."""
    world.configure(f"limits: {limits}")
    done = world.pager.run("check", "--format", "json")
    problems = [problem for problem in json.loads(done.stdout)["problems"] if problem["level"] == "error"]
    assert len(problems) == 1, problems
    assert (problems[0]["file"], problems[0]["line"]) == ("config/tocsin.yaml", 5)
    assert done.returncode == 1


@pytest.mark.attack
def test_nothing_is_open_and_somebody_answers_to_all(world: Providers) -> None:
    """`ok all` with nothing open: one short answer, and nothing else happens."""
    world.pager.start()
    for words in ("ok all", "pass all"):
        before = len(world.texts(ANA))
        world.twilio.order(inbound={"from": ANA, "to": "+15005550006", "body": words})
        world.pager.until(lambda before=before: len(world.texts(ANA)) > before, 8)
    assert world.settled(lambda: len(world.texts(ANA)), 3) == 2
    assert not world.texts(OLGA)
    assert all(len(sms["body"]) <= 160 for sms in world.texts(ANA)), world.texts(ANA)


@pytest.mark.attack
def test_the_spare_account_knows_no_such_sender(tmp_path: Path) -> None:
    """A fallback whose sender is no number of its account: the first being sick, the page goes by mail at once."""
    world = Providers(tmp_path)
    stranger = StandInProcess(
        tmp_path / "stranger.truth",
        "twilio",
        "--account",
        "AC" + "1" * 32,
        "--token",
        "other",
        "--number",
        "+15005550008",
    )
    try:
        settings = tmp_path / "config" / "tocsin.yaml"
        settings.write_text(settings.read_text().replace(world.twilio2.place["url"], stranger.place["url"]))
        world.twilio.wrong("create", "code 20003 401")
        path = tmp_path / "config" / "all.yaml"
        path.write_text(path.read_text().replace("via: [sms, email]", "via: [sms]"))
        world.pager.start()
        world.pager.write("pay.yaml", FILE)
        world.pager.until(lambda: world.mails("ana@example.com"), 3)
        world.pager.until(lambda: "second" in world.told() and "sender" in world.told(), 15)
        assert unmarked(world)
    finally:
        stranger.close()
        world.close()
