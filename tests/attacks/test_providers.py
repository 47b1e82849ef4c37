"""Attacks on the installed daemon by its providers: what hangs, answers late, takes and never delivers, or is mended."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.test_providers import FILE, World
from tests.fakes.orders import written

ANA, BO, OLGA = "+14155550101", "+14155550102", "+14155550103"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    settings = tmp_path / "config" / "tocsin.yaml"
    settings.write_text(settings.read_text().replace("replies: {by: off}", "replies: {by: poll, every: 2s}"))
    yield made
    made.close()


def edit(world: World, *changes: tuple[str, str]) -> None:
    """Change the config's fragment, as an editor does: under another name, then by rename."""
    path = world.pager.folder / "config" / "all.yaml"
    text = path.read_text()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    hidden = path.with_name(".all.yaml.new")
    hidden.write_text(text)
    hidden.rename(path)


def truth(world: World, name: str) -> list[dict[str, Any]]:
    """What truly arrived at a provider."""
    return written(world.truth[name])


def texts(world: World, number: str) -> list[dict[str, Any]]:
    """The SMS that were taken for a number."""
    return [sms for sms in truth(world, "twilio") if sms["to"] == number]


def mails(world: World, to: str, kind: str) -> list[dict[str, Any]]:
    """The mails of a kind that arrived at an address."""
    return [mail for mail in truth(world, "smtp") if mail["to"] == to and f"X-Tocsin-Kind: {kind}" in mail["data"]]


def told(world: World) -> str:
    """What the operator read by email."""
    return "\n".join(mail["data"].replace("=\r\n", "") for mail in mails(world, "olga@example.com", "operator"))


def test_a_corrected_address_gets_its_page_at_once(world: World) -> None:
    """Rule 65, D8: the relay knows no such mailbox; the operator mends the typo in the config; ana is paged there."""
    edit(world, ("ana@example.com, phone: " + f'"{ANA}"', "ana@exmaple.com"), ("via: [sms, email]", "via: [email]"))
    unknown = {"phase": "rcpt", "fault": "550 5.1.1 no such user", "times": None, "to": "ana@exmaple.com"}
    world.order("smtp", unknown)
    world.pager.start()
    world.pager.write("pay.yaml", FILE)
    world.pager.until(lambda: mails(world, "bo@example.com", "page"))
    edit(world, ("ana@exmaple.com", "ana@example.com"))
    world.pager.until(lambda: mails(world, "ana@example.com", "page"), 10)


@pytest.mark.attack
def test_who_replaces_the_person_asked_is_paged_at_once(world: World) -> None:
    """Rule 67, D17: ana leaves the config while she is asked; the chain names bo."""
    edit(world, ("chain: [ana, bo]", "chain: [ana]"))
    world.pager.start()
    world.pager.write("pay.yaml", FILE)
    world.pager.until(lambda: texts(world, ANA))
    assert not texts(world, BO)
    ana = "  ana: {name: Ana Souza, email: ana@example.com, phone: " + f'"{ANA}"}}\n'
    edit(world, ("chain: [ana]", "chain: [bo]"), (ana, ""))
    world.pager.until(lambda: texts(world, BO), 10)
    assert len(texts(world, ANA)) == 1


@pytest.mark.attack
def test_a_phone_that_is_off_passes_the_step(world: World) -> None:
    """Rule 66, D10: ana has only a phone, and it is off: bo is paged when that is known, ana once more after 30 s, and
    the operator reads what became of the page and what to do.
    """
    edit(world, ("email: ana@example.com, ", ""))
    world.order("twilio", {"end": {"to": ANA, "status": "undelivered", "code": 30003}})
    world.pager.start()
    world.pager.write("pay.yaml", FILE)
    world.pager.until(lambda: texts(world, BO), 10)
    world.pager.until(lambda: len(texts(world, ANA)) == 2, 45)
    first, second = texts(world, ANA)
    assert 29 < second["at"] - first["at"] < 40
    world.pager.until(lambda: "reached nobody" in told(world))
    assert "the SMS was not delivered" in told(world)
    time.sleep(35)
    assert len(texts(world, ANA)) == 2


@pytest.mark.attack
@pytest.mark.parametrize(("code", "numbers"), [(30034, 1), (30008, 3)])
def test_sms_that_never_arrive_are_told(world: World, code: int, numbers: int) -> None:
    """Rule 39, D9: one receipt that blames the sender, or three numbers in a row: what is wrong, and what to do."""
    world.order("twilio", {"end": {"to": "*", "status": "undelivered", "code": code}})
    chain = "[[ana, bo, olga]]" if numbers == 3 else "[ana]"
    edit(world, ("chain: [ana, bo]", f"chain: {chain}"))
    world.pager.start()
    world.pager.write("pay.yaml", FILE)
    world.pager.until(lambda: f"({code})" in told(world), 15)
    assert "SMS are not delivered" in told(world)
    assert ("register the sender for A2P 10DLC" if numbers == 1 else "to 3 numbers in a row") in told(world)


@pytest.mark.attack
@pytest.mark.parametrize(("hung", "phase", "count"), [("smtp", "connect", 60), ("twilio", "create", 100)])
def test_many_pages_behind_a_hung_provider(world: World, hung: str, phase: str, count: int) -> None:
    """Rule 70, D11: sixty pages by email alone on a relay that hangs, a hundred by SMS on a hung API: every one is out by
    the other channel within half a minute.
    """
    first, other = ("email", "twilio") if hung == "smtp" else ("sms", "smtp")
    edit(world, ("via: [sms, email]", f"via: [{first}]"))
    world.wrong(hung, phase, "hang")
    world.pager.start()
    began = time.time()
    for number in range(count):
        world.pager.write(f"pay{number}.yaml", FILE.replace("Card", f"Card {number}"))

    def out() -> list[dict[str, Any]]:
        return texts(world, ANA) if other == "twilio" else mails(world, "ana@example.com", "page")

    world.pager.until(lambda: len(out()) >= count, 60)
    assert len(out()) == count
    assert max(page["at"] for page in out()) - began < 32


@pytest.mark.attack
def test_a_tarpit_brings_one_copy(world: World) -> None:
    """Rule 70, D24: the relay takes every mail and says so 25 s after the dot: no reader gets it twice."""
    world.wrong("smtp", "dot", "slow 25 250 ok queued as TAR1")
    world.pager.start()
    world.pager.write("pay.yaml", FILE)
    world.pager.until(lambda: texts(world, ANA), 10)
    time.sleep(110)
    assert len(mails(world, "ana@example.com", "page")) == 1
    assert len(mails(world, "support@example.com", "update")) == 1


@pytest.mark.attack
def test_a_relay_that_never_answers_brings_few_copies(world: World) -> None:
    """Rule 70: after two mails in a row without an answer it has its ten minutes; ana has the SMS all the same."""
    world.wrong("smtp", "dot", "hang")
    world.pager.start()
    world.pager.write("pay.yaml", FILE)
    world.pager.until(lambda: texts(world, ANA), 10)
    time.sleep(200)
    assert len(mails(world, "ana@example.com", "page")) <= 2


@pytest.mark.attack
def test_a_relay_of_few_connections_is_no_trouble(world: World) -> None:
    """Rule 39, D25: "421 too many connections" to most first tries; all is taken soon, and nobody is told otherwise."""
    edit(world, ("via: [sms, email]", "via: [email]"))
    world.wrong("smtp", "connect", "421 too many connections", 3)
    world.pager.start()
    for number in range(4):
        world.pager.write(f"pay{number}.yaml", FILE.replace("Card", f"Card {number}"))
    world.pager.until(lambda: len(mails(world, "ana@example.com", "page")) == 4, 15)
    time.sleep(20)
    assert "Messages by" not in told(world)
    assert not texts(world, OLGA)


@pytest.mark.attack
def test_the_switch_is_silent_while_nothing_leaves(world: World) -> None:
    """Rule 71, D13: the relay refuses our login and the API our token: no page leaves, and the switch says so after a
    minute; with both mended it is heard again.
    """
    pings: list[float] = []

    class Switch(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            pings.append(time.monotonic())
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing on the test's standard error."""

    switch = HTTPServer(("127.0.0.1", 0), Switch)
    serving = threading.Thread(target=switch.serve_forever)
    serving.start()
    try:
        settings = world.pager.folder / "config" / "tocsin.yaml"
        url = f"http://127.0.0.1:{switch.server_port}/ping"
        settings.write_text(settings.read_text() + f"heartbeat: {{url: '{url}', every: 5s}}\n")
        world.wrong("smtp", "auth", "535 5.7.8 wrong name or password")
        world.wrong("twilio", "create", "code 20003 401")
        world.pager.start()
        world.pager.until(lambda: pings, 15)
        declared = time.monotonic()
        world.pager.write("pay.yaml", FILE)
        time.sleep(100)
        silent = [ping - declared for ping in pings if ping - declared > 70]
        assert silent == [], silent
        world.wrong("smtp", "auth", "")
        world.wrong("twilio", "create", "")
        world.pager.until(lambda: texts(world, ANA), 75)
        mended = time.monotonic()
        world.pager.until(lambda: pings[-1] > mended, 75)
    finally:
        switch.shutdown()
        serving.join()
        switch.server_close()
