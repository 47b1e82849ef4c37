"""`tocsin run` as people start it: the installed command, real files, real SQLite, the outbox."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.pager import CONFIG, SETTINGS, Pager

FILE = "title: Card payments fail\nseverity: sev1\n"


@pytest.fixture
def pager(tmp_path: Path) -> Iterator[Pager]:
    pager = Pager(tmp_path)
    yield pager
    if pager.process is not None:
        pager.stop(signal.SIGKILL)


def test_from_file_to_closing(pager: Pager) -> None:
    """A file pages and tells at once, an answer in it stops nothing twice, `resolved` closes each channel once."""
    pager.start()
    pager.write("pay.yaml", FILE)
    pager.until(lambda: len(pager.mails()) == 2 and len(pager.texts()) == 1)
    page, update = pager.mails("page")[0], pager.mails("update")[0]
    assert page["X-Tocsin-Incident"] == update["X-Tocsin-Incident"] == "pay"
    assert "Card payments fail" in page["Subject"]
    pager.write("pay.yaml", FILE + "acknowledged: [ana]\nstatus: resolved\nresolution: A bad deploy.\n")
    pager.until(lambda: len(pager.mails("closing")) == 2)
    assert pager.stop() == 0
    assert len(pager.texts()) == 2
    lines = pager.log.read_text()
    assert lines.startswith("{")
    assert "@example.com" not in lines
    assert "+1415" not in lines


def test_a_second_daemon_on_one_ledger_gives_way(pager: Pager) -> None:
    """It ends with 1 within ten seconds and names the first one's pid."""
    pager.start()
    assert pager.process is not None
    began = time.monotonic()
    second = pager.run()
    assert time.monotonic() - began < 10
    assert second.returncode == 1
    assert f"pid {pager.process.pid}" in second.stderr
    assert "Traceback" not in second.stderr


def test_a_broken_config_stops_only_a_first_run(pager: Pager) -> None:
    """The first run ends with 1 and the places; a later one goes on with the last good config and tells operators."""
    broken = CONFIG.replace("chain: [ana, bo]", "chain: [anna, bo]")
    fragment = pager.folder / "config" / "all.yaml"
    fragment.write_text(broken)
    first = pager.run()
    assert first.returncode == 1
    assert "all.yaml:7:" in first.stderr
    assert not (pager.folder / "var").exists()
    fragment.write_text(CONFIG)
    pager.start()
    assert pager.stop() == 0
    fragment.write_text(broken)
    pager.start()
    pager.write("pay.yaml", FILE)
    pager.until(lambda: pager.mails("page", "ana@example.com"))
    notice = pager.until(lambda: pager.mails("operator", "olga@example.com"))[0]
    assert notice["X-Tocsin-Incident"] == "-"
    assert "all.yaml:7:" in notice.get_body(("plain",)).get_content()
    assert pager.stop(signal.SIGINT) == 0


def test_a_changed_config_counts_without_a_restart(pager: Pager) -> None:
    """A new address counts at the next message; a refused change leaves the good one in force and is told; SIGHUP too."""
    pager.start()
    fragment = pager.folder / "config" / "all.yaml"
    fragment.write_text(CONFIG.replace("ana@example.com", "ana@example.org"))
    pager.until(lambda: pager.said("config"))
    pager.write("pay.yaml", FILE)
    pager.until(lambda: pager.mails("page", "ana@example.org"))
    (pager.folder / "config" / "tocsin.yaml").write_text(SETTINGS.replace("operators", "operator"))
    assert pager.process is not None
    pager.process.send_signal(signal.SIGHUP)
    notice = pager.until(lambda: pager.mails("operator"))[0]
    assert "tocsin.yaml:2:1" in notice.get_body(("plain",)).get_content()
    pager.write("mail.yaml", FILE)
    pager.until(lambda: len(pager.mails("page", "ana@example.org")) == 2)
    assert pager.stop() == 0


def test_a_template_that_breaks_never_delays_a_page(pager: Pager) -> None:
    """P7: with templates that cannot be parsed or rendered the built-in words go out, and operators hear the place."""
    (pager.folder / "templates" / "page.email.txt.j2").write_text("{{ nothing.like.this }}")
    (pager.folder / "templates" / "update.subject.txt.j2").write_text("{% if %}")
    pager.start()
    taking = pager.stopwatch()
    pager.write("pay.yaml", FILE)
    pager.until(lambda: len(pager.mails()) >= 2 and pager.texts())
    assert taking.seconds < 5
    told = pager.until(lambda: pager.mails("operator"))
    said = "\n".join(mail.get_body(("plain",)).get_content() for mail in told)
    assert "update.subject.txt.j2:1" in said
    assert "page.email.txt.j2:1" in said


def test_files_that_cannot_be_read_are_told(pager: Pager) -> None:
    """A dropped field is told with its place, by email only; the page leaves at once (P7, rule 39)."""
    pager.start()
    taking = pager.stopwatch()
    pager.write("pay.yaml", FILE + "eta: soonish\n")
    pager.until(lambda: pager.mails("page"))
    assert taking.seconds < 5
    notice = pager.until(lambda: pager.mails("operator"))[0]
    assert "incidents/pay.yaml:3:" in notice.get_body(("plain",)).get_content()
    assert not [name for name in pager.texts() if "olga" in name]


def test_the_shipped_config_runs(pager: Pager) -> None:
    """`make run` on a fresh checkout: the embedded default pages without any account."""
    pager.copy_shipped()
    pager.start()
    pager.write("pay.yaml", FILE)
    pager.until(lambda: pager.mails("page") and pager.texts())
    assert pager.stop() == 0


def test_an_ack_of_a_file_that_cannot_be_read_is_no_failure(pager: Pager) -> None:
    """Rule 32 and section 7: the daemon records it and the pages end, so it says so and ends with 0."""
    pager.start()
    pager.write("third.yaml", "[[[[ : nothing\n")
    pager.until(lambda: pager.mails("page", "bo@example.com"), 30)
    [mail] = pager.mails("page", "bo@example.com")
    assert "or write in third.yaml" not in mail.get_body(("plain",)).get_content()  # nothing written there would count
    done = pager.run("ack", "third", "--as", "bo")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith("third: acknowledged by bo; ")
