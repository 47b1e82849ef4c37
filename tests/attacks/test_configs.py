"""Nothing that a config folder holds can stop the pager: the net below every cure (issue 10, R1, T1 to T3, C1 to C4)."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.fakes.pager import CONFIG, Pager
from tests.fakes.patience import Patience
from tests.fakes.sick_readers import SICKNESSES, sick_readers

CALENDAR = """BEGIN:VCALENDAR
VERSION:2.0
X-SICK:NONE
BEGIN:VEVENT
UID:1
SUMMARY:ana
DTSTART:20260101T000000Z
DTEND:20260102T000000Z
RRULE:FREQ=DAILY
END:VEVENT
END:VCALENDAR
"""
ROTATION = "rotations:\n  pay: {calendar: pay.ics}\n"
INCIDENT = "title: Card payments fail\nseverity: sev1\n"


@pytest.fixture
def pager(tmp_path: Path) -> Pager:
    pager = Pager(tmp_path, **sick_readers(tmp_path / "sick"))
    (pager.folder / "config" / "rotation.yaml").write_text(ROTATION)
    calendar(pager, "NONE")
    return pager


def calendar(pager: Pager, sickness: str) -> None:
    (pager.folder / "config" / "pay.ics").write_text(CALENDAR.replace("NONE", sickness))


def template(pager: Pager, text: str) -> None:
    (pager.folder / "templates" / "page.sms.txt.j2").write_text(text)


def told(pager: Pager, *words: str) -> bool:
    """Whether operators read one mail with all of these words."""
    mails = [mail.get_body(("plain",)) for mail in pager.mails(to="olga")]
    texts = [" ".join(body.get_content().split()) for body in mails if body is not None]
    return any(all(word in text for word in words) for text in texts)


def paged(pager: Pager, name: str) -> None:
    """Whoever is to be paged for a new incident is, at once."""
    before = len(pager.mails("page"))
    taking = pager.stopwatch()
    pager.write(name, INCIDENT)
    pager.until(lambda: len(pager.mails("page")) > before)
    assert taking.seconds < 5


def children(pid: int) -> list[int]:
    """What a process and its children have begun for judging, the one that forks the others first."""
    threads = Path(f"/proc/{pid}/task").glob("*/children")
    begun = [Path(f"/proc/{child}/comm") for thread in threads for child in thread.read_text().split()]
    own = [int(comm.parent.name) for comm in begun if comm.exists() and comm.read_text() == "tocsin-judge\n"]
    return [*own, *(grandchild for child in own for grandchild in children(child))]


def last_sms(pager: Pager) -> str:
    return (pager.folder / "var" / "outbox" / pager.texts()[-1]).read_text()


def test_a_calendar_that_hangs_is_a_refused_config(pager: Pager) -> None:
    """Pages go out meanwhile, operators read which file, and a mended one counts; nothing goes on when it is over."""
    pager.start()
    assert pager.process
    calendar(pager, "HANG")
    pager.until(lambda: len(children(pager.process.pid)) == 2)
    paged(pager, "first.yaml")
    pager.until(
        lambda: told(
            pager, "The config was refused", "config/pay.ics:1:1: error: reading the whole config takes over 1 s"
        )
    )
    assert len(children(pager.process.pid)) == 1
    calendar(pager, "NONE")
    (pager.folder / "config" / "all.yaml").write_text(CONFIG.replace("ana@", "new@"))
    pager.until(lambda: pager.said("config"))
    paged(pager, "second.yaml")
    assert pager.mails("page", "new@example.com")
    left = children(pager.process.pid)
    assert pager.stop_within(5) == 0
    patience = Patience(5)
    while any(Path(f"/proc/{pid}").exists() for pid in left):
        assert patience.nap()


@pytest.mark.attack
@pytest.mark.parametrize("sickness", SICKNESSES)
def test_no_calendar_stops_the_pager(pager: Pager, sickness: str) -> None:
    """While it runs, at its next start, and at a stop: the last good config goes on and operators read which file."""
    pager.start()
    calendar(pager, sickness)
    pager.until(lambda: told(pager, "The config was refused", "config/pay.ics:1:1: error: reading "))
    paged(pager, "first.yaml")
    assert pager.stop() == 0
    pager.start()
    paged(pager, "second.yaml")
    for command in (["status"], ["ack", "first", "--as", "ana"], ["explain", "first"]):
        done = pager.run(*command)
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
    checked = pager.run("check")
    assert checked.returncode == 1
    assert checked.stdout.startswith("config/pay.ics:1:1: error: reading ")
    assert "Traceback" not in checked.stderr
    calendar(pager, "NONE")
    pager.until(lambda: told(pager, "The config is good again"))
    assert pager.stop() == 0


@pytest.mark.attack
def test_a_slow_config_delays_no_start(tmp_path: Path) -> None:
    """The last good one goes on until the one on disk is judged, which then counts; commands do not wait either."""
    slow = Pager(tmp_path, **sick_readers(tmp_path / "sick"), SICK_SECONDS="30", TOCSIN_WEB__SIGNING_KEY="k" * 40)
    (slow.folder / "config" / "rotation.yaml").write_text(ROTATION)
    calendar(slow, "NONE")
    slow.start()
    paged(slow, "first.yaml")
    assert slow.stop() == 0
    calendar(slow, "SLOW")
    (slow.folder / "config" / "all.yaml").write_text(CONFIG.replace("ana@", "new@"))
    slow.start()
    paged(slow, "second.yaml")
    assert not slow.mails("page", "new@example.com")
    done = slow.run("status")
    assert (done.returncode, "cannot be judged at once" in done.stdout) == (0, True), done.stdout
    slow.until(lambda: slow.said("config"), 60)
    paged(slow, "third.yaml")
    assert slow.mails("page", "new@example.com")
    assert slow.stop() == 0


@pytest.mark.attack
@pytest.mark.parametrize("sickness", SICKNESSES)
def test_a_first_start_says_why_in_one_line(pager: Pager, sickness: str) -> None:
    """Without a config that was ever good: exit 1, with the place, no traceback."""
    calendar(pager, sickness)
    done = pager.run("run")
    assert done.returncode == 1
    assert done.stderr.startswith("config/pay.ics:1:1: error: reading ")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.attack
@pytest.mark.parametrize("sickness", SICKNESSES)
def test_no_template_stops_the_pager(pager: Pager, sickness: str) -> None:
    """While it runs the last good set speaks, at a start the shipped text does; operators read which file."""
    template(pager, "Good: {{ acknowledge }}")
    pager.start()
    template(pager, f"{sickness} {{{{ acknowledge }}}}")
    pager.until(lambda: told(pager, "A template cannot be used", "templates/page.sms.txt.j2"), 60)
    paged(pager, "first.yaml")
    assert "Good: " in last_sms(pager)
    assert "\ntemplates/page.sms.txt.j2:1:1: error: " in pager.run("check").stdout
    assert pager.stop() == 0
    pager.start()
    paged(pager, "second.yaml")
    assert sickness not in last_sms(pager)
    assert "SEV1 Card payments fail" in last_sms(pager)
    assert pager.stop() == 0


@pytest.mark.attack
def test_four_templates_that_hang(pager: Pager) -> None:
    """More than are found one by one: all are left out, the shipped ones speak, and what is told stays short."""
    for kind in ("page", "update", "stand_down", "closing"):
        (pager.folder / "templates" / f"{kind}.sms.txt.j2").write_text("HANG")
    began = time.monotonic()
    pager.start()
    assert time.monotonic() - began < 15
    paged(pager, "first.yaml")
    assert "SEV1 Card payments fail" in last_sms(pager)
    pager.until(lambda: told(pager, "A template cannot be used", "takes over 1 s"), 60)
    assert pager.stop() == 0


@pytest.mark.attack
def test_the_child_that_judges_is_killed(pager: Pager) -> None:
    """What forks it is killed, before and while a config is judged: another follows, and nobody is told of a bad one."""
    pager.start()
    assert pager.process
    for number, when in enumerate(("before", "while")):
        (server,) = children(pager.process.pid)
        if when == "while":
            calendar(pager, "HANG")
            pager.until(lambda: len(children(pager.process.pid)) == 2)
        os.kill(server, signal.SIGKILL)
        calendar(pager, "NONE")
        (pager.folder / "config" / "all.yaml").write_text(CONFIG.replace("ana@", f"ana{number}@"))
        pager.until(lambda: pager.said("config") > number, 60)  # noqa: B023 - called at once
        paged(pager, f"{when}.yaml")
        assert pager.mails("page", f"ana{number}@example.com")
    assert pager.stop(signal.SIGINT) == 0
