"""Folders that hang, fail, are watched twice or go back in time, under the real daemon (rules 62, 69, 72, 73)."""

import errno
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fakes.pager import CONFIG, ROOMY, Pager
from tests.fakes.sick_disk import SickDisk

INCIDENT = "title: Card payments fail\nseverity: sev1\n"
MOVED = CONFIG.replace("chain: [ana, bo]", "chain: [bo, ana]")

Start = Callable[..., Pager]


@pytest.fixture
def pager_on(tmp_path: Path) -> Iterator[Start]:
    """A pager whose disk can be made sick below a path of its folder; the next level is paged after the window."""
    pagers: list[Pager] = []

    def start(below: str, window: str = "5m") -> Pager:
        disk = SickDisk(tmp_path, tmp_path / below)
        pager = Pager(tmp_path, **disk.environ, TOCSIN_CONFIG=str(tmp_path / "config"))
        (tmp_path / "config" / "all.yaml").write_text(CONFIG.replace("within: 5m", f"within: {window}"))
        pagers.append(pager)
        return pager

    yield start
    for pager in pagers:
        disk_of(pager).heal()
        if pager.process is not None:
            pager.stop(signal.SIGKILL)


def disk_of(pager: Pager) -> SickDisk:
    return SickDisk(pager.folder, Path(pager.environ["SICK_BELOW"]))


def told(pager: Pager) -> list[str]:
    """What the operators were told."""
    return [mail.get_body(("plain",)).get_content() for mail in pager.mails("operator", "olga@")]  # type: ignore[union-attr]


def ends(pager: Pager) -> float:
    """SIGTERM; the seconds until it has ended, well."""
    began = time.monotonic()
    assert pager.stop() == 0
    return time.monotonic() - began


@pytest.mark.attack
def test_a_folder_that_hangs_at_a_start(pager_on: Start) -> None:
    """Rule 62: an incident is open, the daemon is killed, the folder hangs, the daemon starts: ready, its ladder goes on,
    the operators hear since when; healed, a new file pages. It ends when told to, hung or not.
    """
    pager = pager_on("incidents", window="20s")
    disk = disk_of(pager)
    pager.start()
    pager.write("pay.yaml", INCIDENT)
    pager.until(lambda: pager.mails("page", "ana@"))
    pager.stop(signal.SIGKILL)
    disk.hang()
    began = time.monotonic()
    pager.start()
    assert time.monotonic() - began < 15
    pager.until(lambda: pager.mails("page", "bo@"), 30)
    (hung,) = pager.until(lambda: told(pager), 60)
    assert "has not answered since" in hung
    assert pager.said("unhealthy") == 0
    assert ends(pager) < 10
    pager.start()
    disk.heal()
    pager.write("db.yaml", INCIDENT)
    pager.until(lambda: [mail for mail in pager.mails("page", "ana@") if mail["X-Tocsin-Incident"] == "db"])
    assert "can be read again" in pager.until(lambda: told(pager)[1:], 90)[0]


@pytest.mark.attack
def test_a_folder_that_hangs_while_the_daemon_runs(pager_on: Start) -> None:
    """Rule 62: ladders go on, told within a minute and when it is well; what was written meanwhile counts then; commands
    say that no healthy daemon watches.
    """
    pager = pager_on("incidents", window="40s")
    disk = disk_of(pager)
    pager.start()
    pager.write("pay.yaml", INCIDENT)
    pager.until(lambda: pager.mails("page", "ana@"))
    disk.hang()
    hung_at = time.monotonic()
    pager.write("db.yaml", INCIDENT)
    (hung,) = pager.until(lambda: told(pager), 60)
    assert time.monotonic() - hung_at < 60
    assert "has not answered since" in hung
    pager.until(lambda: pager.mails("page", "bo@"), 45)
    assert pager.said("unhealthy") == 0
    assert len(pager.mails("page", "ana@")) == 1
    status = pager.run("status")
    assert status.returncode == 0
    assert "does not answer" in status.stdout
    assert "SEV1 Card payments fail" in status.stdout
    del pager.environ["LD_PRELOAD"]  # commands have a disk of their own
    declared = pager.run("declare", "Search is slow", "--severity", "sev1")
    assert declared.returncode == 1
    assert "no healthy daemon watches" in declared.stderr
    disk.heal()
    pager.until(lambda: len(pager.mails("page", "ana@")) == 3)
    assert "can be read again" in pager.until(lambda: told(pager)[1:], 90)[0]


@pytest.mark.attack
@pytest.mark.parametrize("below", ["config", "templates", "reviews", "var/outbox"])
def test_another_folder_that_hangs(pager_on: Start, below: str) -> None:
    """Rule 62: config, templates, reviews or outbox hang while the daemon runs and at its start: an incident is seen all
    the same, nothing is unhealthy, and it ends when told to.
    """
    pager = pager_on(below)
    disk = disk_of(pager)
    pager.start()
    pager.write("pay.yaml", INCIDENT)
    pager.until(lambda: pager.mails("page", "ana@"))
    disk.hang()
    time.sleep(5)
    pager.write("pay.yaml", INCIDENT + "status: resolved\n")
    pager.until(lambda: pager.said("version") == 2)
    if below != "var/outbox":
        pager.until(lambda: pager.mails("closing", "ana@"))
    pager.write("db.yaml", INCIDENT)
    pager.until(lambda: pager.said("version") == 3)
    assert ends(pager) < 40
    began = time.monotonic()
    pager.start()
    assert time.monotonic() - began < 20
    assert pager.said("unhealthy") == 0
    disk.heal()
    pager.until(lambda: [mail for mail in pager.mails("page", "ana@") if mail["X-Tocsin-Incident"] == "db"], 60)


@pytest.mark.attack
def test_a_config_folder_that_hangs_is_told(pager_on: Start) -> None:
    """Rule 73: after a minute, with what goes on meanwhile; an edit counts once it answers, and its return is told."""
    pager = pager_on("config")
    disk = disk_of(pager)
    pager.start()
    disk.hang()
    (pager.folder / "config" / "all.yaml").write_text(MOVED)
    (hung,) = pager.until(lambda: told(pager), 90)
    assert "does not answer" in hung
    disk.heal()
    assert "can be read again" in pager.until(lambda: told(pager)[1:], 90)[0]
    pager.until(lambda: pager.said("config"))
    pager.write("pay.yaml", INCIDENT)
    pager.until(lambda: pager.mails("page", "bo@"))


@pytest.mark.attack
@pytest.mark.parametrize("fault", [errno.EIO, errno.EACCES, errno.ESTALE, errno.ENOENT, errno.EMFILE], ids=os.strerror)
@pytest.mark.parametrize("below", ["config/all.yaml", "config"])
def test_a_config_that_cannot_be_read_for_a_moment(pager_on: Start, below: str, fault: int) -> None:
    """Rule 73: an error while a good edit is reloaded: it counts seconds after the disk is well, without another edit,
    and nobody is told.
    """
    pager = pager_on(below)
    disk = disk_of(pager)
    pager.start()
    disk.fail(fault)
    (pager.folder / "config" / "all.yaml").write_text(MOVED)
    time.sleep(7)
    assert pager.said("config") == 0
    disk.heal()
    pager.until(lambda: pager.said("config"), 15)
    pager.write("pay.yaml", INCIDENT)
    pager.until(lambda: pager.mails("page", "bo@"))
    assert not pager.mails("page", "ana@")
    assert told(pager) == []


@pytest.mark.attack
def test_a_config_that_stays_unreadable(pager_on: Start) -> None:
    """Rule 73: told after a minute, with the file; a start goes on with the last good config, without a word before a
    minute is over; a first start without one exits 1 and says the file.
    """
    pager = pager_on("config/all.yaml")
    disk = disk_of(pager)
    disk.fail(errno.EIO)
    first = pager.run()
    assert first.returncode == 1
    assert "config/all.yaml" in first.stderr
    assert "cannot be read: input/output error" in first.stderr
    assert "Traceback" not in first.stderr
    disk.heal()
    pager.start()
    pager.stop()
    disk.fail(errno.EIO)
    pager.start()
    pager.write("pay.yaml", INCIDENT)
    pager.until(lambda: pager.mails("page", "ana@"))
    assert "! the config cannot be read (config/all.yaml:1:1: " in pager.run("status").stdout
    time.sleep(40)
    assert told(pager) == []
    (unread,) = pager.until(lambda: told(pager), 60)
    assert "all.yaml" in unread
    assert "input/output error" in unread


@pytest.mark.attack
def test_two_daemons_on_one_folder(pager_on: Start, tmp_path: Path) -> None:
    """Rule 72: with a ledger of its own the second exits 1 within 10 s (of work, however busy the machine is) and names
    the first in one line; each incident is paged once. Killed, the first lets another in at once.
    """
    pager = pager_on("nothing")
    pager.start()
    assert pager.process is not None
    pid = pager.process.pid
    second = Pager(tmp_path, TOCSIN_LEDGER=f"sqlite:///{tmp_path}/other.db")
    began = time.monotonic()
    assert second.run("oncall").returncode == 0
    beginning = time.monotonic() - began
    began = time.monotonic()
    refused = second.run()
    assert time.monotonic() - began < 5 * beginning + 2
    assert refused.returncode == 1
    (line,) = [line for line in refused.stderr.splitlines() if not line.startswith("{")]
    assert line.startswith("another tocsin watches ")
    assert f"(host {os.uname().nodename}, pid {pid})" in line
    (tmp_path / "incidents" / ".tocsin-watched").unlink()
    refused = second.run()
    assert refused.returncode == 1
    assert f"(host {os.uname().nodename}, pid {pid})" in refused.stderr
    pager.write("pay.yaml", INCIDENT)
    pager.until(lambda: pager.mails("page", "ana@"))
    time.sleep(1)
    assert len(pager.mails("page", "ana@")) == 1
    pager.stop(signal.SIGKILL)
    second.start()
    assert second.stop() == 0


@pytest.mark.attack
def test_a_folder_that_may_only_be_read(pager_on: Start) -> None:
    """Rule 72: no refusal; the operators hear once what is missing, and commands say that nobody is seen to watch. A
    second daemon is refused all the same.
    """
    pager = pager_on("incidents/.tocsin-watched")
    disk_of(pager).fail(errno.EROFS)
    pager.start()
    pager.write("pay.yaml", INCIDENT)
    pager.until(lambda: pager.mails("page", "ana@"))
    (unmarked,) = pager.until(lambda: told(pager))
    assert "incidents/.tocsin-watched cannot be written (read-only file system)" in unmarked
    second = Pager(pager.folder, TOCSIN_LEDGER=f"sqlite:///{pager.folder}/other.db")
    refused = second.run()
    assert refused.returncode == 1
    assert "another tocsin watches " in refused.stderr
    time.sleep(15)
    assert len(told(pager)) == 1


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.mark.attack
@pytest.mark.parametrize("stopped", [False, True])
def test_a_checkout_of_an_old_commit(tmp_path: Path, stopped: bool) -> None:
    """Rule 69: git goes back to a commit in which ten resolved incidents are open, while the daemon runs or is stopped:
    nobody is paged, one question to the operators. Back on the branch all is as before; one of them can be reopened.
    """
    pager, incidents = Pager(tmp_path, **ROOMY), tmp_path / "incidents"
    names = [f"pay{number}" for number in range(10)]
    git(incidents, "init", "-q", "-b", "main")
    pager.start()
    for state, end in (("open", ""), ("resolved", "status: resolved\n")):
        for name in names:
            pager.write(f"{name}.yaml", INCIDENT + end)
        pager.until(lambda state=state: len(pager.mails("page" if state == "open" else "closing", "ana@")) == 10)
        git(incidents, "add", "*.yaml")
        git(incidents, "commit", "-q", "-m", state)
    if stopped:
        pager.stop()
    git(incidents, "checkout", "-q", "HEAD~1")
    if stopped:
        pager.start()
    (asked,) = pager.until(lambda: told(pager))
    assert "of 10 resolved incidents went back to older contents" in asked
    assert all(name in asked for name in names)
    assert pager.run("update", "pay3", "It is back.").returncode == 0
    pager.until(lambda: [mail for mail in pager.mails("page", "ana@") if mail["X-Tocsin-Incident"] == "pay3"][1:])
    git(incidents, "checkout", "-q", "-f", "main")
    time.sleep(5)
    assert len(pager.mails("page", "ana@")) == 11
    assert len(told(pager)) == 1
    git(incidents, "checkout", "-q", "HEAD~1")
    pager.until(lambda: ["is it meant" in text for text in told(pager)].count(True) > 1, 90)
    assert len(pager.mails("page", "ana@")) == 11
    pager.stop()
