"""Attacks on the installed daemon by a real Postfix that denies, greylists, wants a login, hangs up, and comes back.

SMS go to the outbox. Whatever Postfix does, the page is out by the other channel at once, nobody's address is marked,
the operators read once what to mend, and with it mended mails leave again.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.pager import SETTINGS, Pager
from tests.fakes.postfix import INSTALLED, Postfix

pytestmark = [pytest.mark.attack, pytest.mark.skipif(not INSTALLED, reason="needs root and Debian's package postfix")]

ANA, BO, OLGA = "+14155550101", "+14155550102", "+14155550103"
FILE = "title: Card payments fail\nseverity: sev1\n"
DENIES = {"virtual_mailbox_domains": ""}
REJECTS_SENDER = {"smtpd_sender_restrictions": "check_sender_access inline:{incidents@example.com=REJECT}"}
AT_MAIL = {**REJECTS_SENDER, "smtpd_delay_reject": "no"}
WANTS_LOGIN = {"smtpd_client_restrictions": "permit_sasl_authenticated, reject"}
WELL = {
    "virtual_mailbox_domains": "example.com",
    "smtpd_sender_restrictions": "",
    "smtpd_client_restrictions": "",
    "smtpd_delay_reject": "yes",
    "smtpd_tls_security_level": "may",
}


class World:
    """A pager whose mails go to Postfix, and whose SMS go to the outbox."""

    def __init__(self, folder: Path) -> None:
        self.postfix = Postfix("ana", "bo", "olga", "support")
        self.pager = Pager(folder, TOCSIN_EMAIL__PASSWORD="pw")
        self.settings = folder / "config" / "tocsin.yaml"
        self.configure("username: tocsin, ")
        fragment = folder / "config" / "all.yaml"
        fragment.write_text(fragment.read_text().replace("via: [sms, email]", "via: [email]"))

    def configure(self, more: str = "", security: str = "starttls") -> None:
        """Write the settings anew, with more of `email`."""
        email = (
            f"email: {{transport: smtp, host: localhost, port: {self.postfix.port}, security: {security}, "
            f"ca_file: '{self.postfix.ca_file}', {more}"
        )
        self.settings.write_text(SETTINGS.replace("email: {", email))

    def declare(self, name: str = "pay") -> float:
        """A new incident; when it was declared."""
        self.pager.write(f"{name}.yaml", FILE)
        return time.time()

    def sms(self, to: str, words: str = "") -> list[str]:
        """The SMS of the outbox to a number that say so."""
        files = [self.pager.folder / "var" / "outbox" / name for name in self.pager.texts()]
        sent: list[dict[str, Any]] = [json.loads(path.read_text()) for path in files]
        return [sms["body"] for sms in sent if sms["to"] == to and words in sms["body"]]

    def until(self, true: Callable[[], Any], seconds: float) -> Any:
        """Wait until something is true; what Postfix logged, if that is in vain."""
        try:
            return self.pager.until(true, seconds)
        except AssertionError as fault:
            raise AssertionError(f"{fault}\n{self.postfix.log[-3000:]}") from None

    def close(self) -> None:
        """End everything."""
        try:
            if self.pager.process is not None:
                self.pager.stop()
        finally:
            self.postfix.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def said_of_the_provider(world: World) -> Sequence[str]:
    """The notices about the mail server that the operator got by SMS."""
    return [text for text in world.sms(OLGA) if "email" in text.lower()]


def recovered(world: World) -> bool:
    """Whether the operator heard, by SMS or by mail, that mails leave again."""
    subjects = [str(mail["Subject"]) for mail in world.postfix.mails("olga", "operator")]
    return any("again" in text for text in [*world.sms(OLGA), *subjects])


def marked(world: World) -> bool:
    """Whether anybody was told that an address is refused."""
    return "is refused" in "".join(world.sms(OLGA))


@pytest.mark.parametrize(
    ("sick", "cure"),
    [(DENIES, "log in (email.username"), (REJECTS_SENDER, "email.sender"), (AT_MAIL, "email.sender")],
    ids=["relay access denied", "sender rejected at RCPT", "sender rejected at MAIL"],
)
def test_a_relay_that_denies(world: World, sick: dict[str, str], cure: str) -> None:
    """Rules 38, 39, D7: 554 5.7.1 for everybody. Ana is paged by SMS at once, the operator reads once and soon what to
    mend, nobody is marked; mended, her page, the update and what follows leave by email, and the operator hears of it.
    """
    world.configure()
    world.postfix.set(**sick)
    world.pager.start()
    world.declare()
    world.until(lambda: world.sms(ANA), 3)
    world.until(lambda: said_of_the_provider(world), 15)
    assert cure in said_of_the_provider(world)[0], said_of_the_provider(world)
    time.sleep(20)
    assert len(said_of_the_provider(world)) == 1, said_of_the_provider(world)
    assert len(world.sms(ANA)) == 1
    assert not world.sms(BO)
    assert not marked(world)
    world.postfix.set(**WELL)
    world.until(lambda: world.postfix.mails("ana", "page"), 75)
    world.until(lambda: world.postfix.mails("support", "update"), 75)
    world.until(lambda: recovered(world), 75)
    world.pager.write("pay.yaml", FILE + "status: resolved\n")
    world.until(lambda: world.postfix.mails("ana", "closing"), 15)
    assert len(world.postfix.mails("ana", "page")) == 1


def test_a_relay_that_wants_a_login(world: World) -> None:
    """Rules 38, 39: Postfix rejects whoever does not log in, and the config names no user: told once, with the settings
    to make; once they are made, mails leave without a restart.
    """
    world.configure()
    world.postfix.set(**WANTS_LOGIN)
    world.pager.start()
    world.declare()
    world.until(lambda: world.sms(ANA), 3)
    world.until(lambda: said_of_the_provider(world), 15)
    assert "log in (email.username" in said_of_the_provider(world)[0]
    assert not marked(world)
    world.configure("username: tocsin, ")
    world.until(lambda: world.postfix.mails("ana", "page"), 75)


def test_a_password_that_is_no_longer_good(world: World) -> None:
    """Rules 38, 39: 535 from Postfix's login service; told once, with the secret to mend; good again, mails leave."""
    world.postfix.password = "another"
    world.pager.start()
    world.declare()
    world.until(lambda: world.sms(ANA), 3)
    world.until(lambda: said_of_the_provider(world), 15)
    assert "TOCSIN_EMAIL__PASSWORD" in said_of_the_provider(world)[0]
    time.sleep(10)
    assert len(said_of_the_provider(world)) == 1
    world.postfix.password = "pw"
    world.until(lambda: world.postfix.mails("ana", "page"), 75)


def test_tls_is_gone(world: World) -> None:
    """Rule 38: Postfix offers no STARTTLS any more: nothing goes in the clear, the page goes by SMS at once."""
    world.configure()
    world.postfix.set(smtpd_tls_security_level="none")
    world.pager.start()
    world.declare()
    world.until(lambda: world.sms(ANA), 3)
    world.until(lambda: said_of_the_provider(world), 15)
    assert "email.security" in said_of_the_provider(world)[0]
    assert not world.postfix.mails("ana")
    world.postfix.set(**WELL)
    world.until(lambda: world.postfix.mails("ana", "page"), 75)


def test_greylisting_is_no_trouble(world: World) -> None:
    """Rules 35, 37: 450 4.2.0 to the first try of each recipient for 4 s: mails come a little later, nobody is told, and
    nobody gets an SMS.
    """
    first: dict[str, float] = {}

    def greylist(recipient: str) -> str:
        began = first.setdefault(recipient, time.monotonic())
        return "450 4.2.0 Greylisted, try again" if time.monotonic() - began < 4 else "DUNNO"

    world.postfix.policy = greylist
    world.pager.start()
    began = world.declare()
    world.until(lambda: world.postfix.mails("ana", "page"), 15)
    assert time.time() - began > 2
    world.until(lambda: world.postfix.mails("support", "update"), 50)
    assert not said_of_the_provider(world)
    assert not world.sms(ANA)
    assert len(world.postfix.mails("ana", "page")) == 1


def test_a_hang_up_in_mid_transaction(world: World) -> None:
    """Rule 37: 421 at RCPT, and the connection is gone: temporary. The page is retried and out by SMS within 30 s; back
    again, one mail.
    """
    world.postfix.policy = lambda _: "421 4.3.0 going down"
    world.pager.start()
    began = world.declare()
    world.until(lambda: world.sms(ANA), 32)
    assert time.time() - began < 32
    assert not marked(world)
    world.postfix.policy = lambda _: "DUNNO"
    world.until(lambda: world.postfix.mails("ana", "page"), 75)
    time.sleep(3)
    assert len(world.postfix.mails("ana", "page")) == 1


def test_postfix_stops_and_comes_back(world: World) -> None:
    """Rules 35, 39: nobody listens: the page is out by SMS within 30 s, the operator is told after the third try and
    when it is back; nothing is lost, nothing doubled.
    """
    world.pager.start()
    world.declare("first")
    world.until(lambda: world.postfix.mails("ana", "page"), 10)
    world.postfix.stop()
    world.declare("second")
    world.until(lambda: world.sms(ANA), 32)
    world.until(lambda: said_of_the_provider(world), 45)
    world.postfix.start()
    world.until(lambda: len(world.postfix.mails("ana", "page")) == 2, 75)
    world.until(lambda: len(world.postfix.mails("support", "update")) == 2, 150)
    world.until(lambda: recovered(world), 75)
    assert len(world.postfix.mails("ana", "page")) == 2
    assert not marked(world)


def test_one_mailbox_that_is_none(world: World) -> None:
    """Rule 37: 550 5.1.1 to ana alone: her address is refused, her page goes by SMS, and everybody else has mail."""
    world.postfix.set(virtual_mailbox_maps="inline:{ {support@example.com=support/}, {olga@example.com=olga/} }")
    world.pager.start()
    world.declare()
    world.until(lambda: world.sms(ANA), 3)
    world.until(lambda: world.postfix.mails("support", "update"), 10)
    world.until(lambda: world.postfix.mails("olga", "operator"), 15)
    notice = world.postfix.mails("olga", "operator")[0].get_body(("plain",))
    assert notice is not None
    assert "ana" in notice.get_content().lower()


def test_a_second_relay_takes_over(world: World) -> None:
    """Rule 49: Postfix denies; a second one has the page at once, as part of the same try; nobody gets an SMS, and the
    operator hears of it by email.
    """
    spare = Postfix("ana", "bo", "olga", "support")
    try:
        world.postfix.set(**DENIES)
        place = f"host: localhost, port: {spare.port}, security: starttls, ca_file: '{spare.ca_file}'"
        world.configure(f"fallbacks: {{spare: {{transport: smtp, {place}}}}}, ")
        world.pager.start()
        began = world.declare()
        world.until(lambda: spare.mails("ana", "page"), 5)
        assert time.time() - began < 5
        world.until(lambda: spare.mails("support", "update"), 5)
        world.until(lambda: spare.mails("olga", "operator"), 15)
        time.sleep(10)
        assert not world.sms(ANA)
        assert not marked(world)
        assert len(spare.mails("ana", "page")) == 1
    finally:
        spare.close()
