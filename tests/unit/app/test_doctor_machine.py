"""What `doctor` says of folders, disks, the ledger, the daemon and what is reached from outside."""

import asyncio
import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from tocsin.adapters import clock
from tocsin.adapters.files import access
from tocsin.adapters.files.access import SystemUser, barrier, existing
from tocsin.adapters.files.disk_threads import DiskThreads
from tocsin.adapters.files.watch_mark import WatchMark
from tocsin.app.doctor import machine
from tocsin.app.doctor.check import Check
from tocsin.app.doctor.examine import Examination, examine, resolve
from tocsin.app.doctor.people import proven_addresses
from tocsin.domain.delivery import Proof, ProvedBy
from tocsin.domain.people import Channel
from tocsin.formats.settings.ledger_address import LedgerAddress
from tocsin.formats.settings.settings import Settings
from tocsin.ports.ledger.trouble import LedgerError

from tests.builders.policies import small_policy
from tests.fakes.ledger import MemoryLedger

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
STRANGER = SystemUser("stranger", 54321, frozenset({54321}))


def settings(folder: Path, **more: object) -> Settings:
    for name in ("config", "incidents", "reviews", "var"):
        (folder / name).mkdir(exist_ok=True)
    values: dict[str, object] = {
        "incidents": folder / "incidents",
        "reviews": folder / "reviews",
        "outbox": folder / "var" / "outbox",
        "ledger": f"sqlite:///{folder}/var/tocsin.db",
        "operators": ["ana"],
        "last_resort": ["ana"],
        "email": {"sender": "i@example.com"},
        "sms": {"sender": "+15005550006"},
    }
    return Settings(**(values | more))  # type: ignore[arg-type]


async def places(folder: Path) -> list[Check]:
    return await machine.examine_places(settings(folder), folder / "config", DiskThreads)


async def test_folders_that_the_daemon_may_use(tmp_path: Path) -> None:
    """Each by its setting, one that is missing is made at the start, and each disk once."""
    checks = await places(tmp_path)
    assert {check.ok for check in checks} == {True}
    folders = [check for check in checks if check.code == "folder"]
    assert [check.message.split(":")[0] for check in folders] == [
        "the config",
        "incidents",
        "reviews",
        "ledger",
        "outbox",
    ]
    assert "made at the start" in folders[-1].message
    assert len([check for check in checks if check.code == "disk"]) == 1


def test_a_folder_closed_to_the_daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user that the ledger belongs to counts, not who asks: what is closed to that one is a failure, with the door."""
    monkeypatch.setattr(machine, "owner_of", lambda _path: STRANGER)
    monkeypatch.setattr(access, "_may", _only_below(tmp_path))
    settings(tmp_path)
    tmp_path.chmod(0o755)
    (tmp_path / "reviews").chmod(0o700)
    (tmp_path / "incidents").chmod(0o777)
    checks = [check for check in asyncio.run(places(tmp_path)) if check.code == "folder"]
    by_name = {Path(check.target).name: check for check in checks}
    assert by_name["incidents"].ok is True
    assert by_name["reviews"].ok is False
    assert "stranger" in by_name["reviews"].message
    assert "chown or chmod" in by_name["reviews"].cure


def _only_below(top: Path) -> object:
    """The rights of a user for whom the way to the test's own folder is open, whatever stands above it."""
    real = access._may

    def may(user: SystemUser, path: Path, needs: int) -> bool:
        return path == top or not path.is_relative_to(top) or real(user, path, needs)

    return may


def test_what_another_user_may_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By owner, by group, by all others; a closed folder above bars the way; root passes everywhere."""
    monkeypatch.setattr(access, "_may", _only_below(tmp_path))
    inner = tmp_path / "outer" / "inner"
    inner.mkdir(parents=True)
    grouped = SystemUser("grouped", 54322, frozenset({inner.stat().st_gid}))
    inner.chmod(0o750)
    assert barrier(grouped, inner, os.R_OK | os.X_OK) is None
    assert barrier(grouped, inner, os.W_OK) == inner
    assert barrier(STRANGER, inner, os.R_OK) == inner
    inner.parent.chmod(0o700)
    assert barrier(grouped, inner, os.R_OK) == inner.parent
    assert existing(inner / "a" / "b") == inner
    monkeypatch.setattr(access.os, "geteuid", lambda: 54321)
    inner.chmod(0)
    assert barrier(SystemUser("root", 0, frozenset()), inner, os.W_OK) is None


async def test_a_folder_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told as that, and keeps no other waiting."""
    monkeypatch.setattr(machine, "ANSWERS_WITHIN", 0.3)
    real = machine.existing

    def hangs(path: Path) -> Path:
        if path.name == "reviews":
            time.sleep(1.5)
        return real(path)

    monkeypatch.setattr(machine, "existing", hangs)
    checks = await places(tmp_path)
    failed = [check for check in checks if check.ok is False]
    assert [Path(check.target).name for check in failed] == ["reviews"]
    assert "does not answer within" in failed[0].message


@pytest.mark.parametrize(
    ("free", "ok", "words"), [(1 << 20, False, "is full: 1 MB"), (100 << 20, True, "100 MB"), (8 << 30, True, "8.0 GB")]
)
async def test_the_room_on_a_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, ok: bool, words: str
) -> None:
    """Too little for the ledger is a failure, little a warning."""
    real = os.statvfs(tmp_path)
    told = os.statvfs_result((1, 1, *list(real)[2:4], free, *list(real)[5:]))
    monkeypatch.setattr(machine.os, "statvfs", lambda _path: told)
    (check,) = [check for check in await places(tmp_path) if check.code == "disk"]
    assert check.ok is ok
    assert words in check.message
    assert bool(check.cure) is (free < 1 << 30)


async def test_a_disk_without_a_file_to_give(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Room for bytes is of no use without inodes."""
    real = list(os.statvfs(tmp_path))
    told = os.statvfs_result((1, 1, *real[2:4], 8 << 30, 1000, 0, 0, *real[8:]))
    monkeypatch.setattr(machine.os, "statvfs", lambda _path: told)
    (check,) = [check for check in await places(tmp_path) if check.code == "disk"]
    assert check.ok is False
    assert "inodes" in check.message


async def test_who_sets_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A time server: well; nobody: looked at; a system that does not say: not tried. The kernel is really asked."""
    verdicts = [(await machine.examine_clock(state, shared=False))[0] for state in (True, False, None)]
    assert [(check.ok, bool(check.cure)) for check in verdicts] == [(True, False), (True, True), (None, False)]
    (among,) = await machine.examine_clock(False, shared=True)
    assert "opening hours" not in among.cure  # R60: these are by the database's clock
    assert clock.is_synchronized() in (True, False, None)
    answers = iter([5, 0, -1])
    monkeypatch.setattr(clock.ctypes, "CDLL", lambda _name: SimpleNamespace(adjtimex=lambda _buffer: next(answers)))
    assert [clock.is_synchronized() for _ in range(3)] == [False, True, None]


async def test_the_ledger(tmp_path: Path) -> None:
    """Not there yet, not readable, in trouble, good."""
    path = tmp_path / "tocsin.db"
    (none,) = await machine.examine_ledger(LedgerAddress(path), None, "", NOW)
    assert none.ok is None
    (broken,) = await machine.examine_ledger(LedgerAddress(path), None, "the ledger cannot be read (schema 9)", NOW)
    assert (broken.ok, bool(broken.cure)) == (False, True)
    ledger = MemoryLedger()
    (new,) = await machine.examine_ledger(LedgerAddress(path), ledger, "", NOW)
    assert new.ok is True
    assert "no daemon has worked on it" in new.message
    await ledger.claim_notice(machine.HEALTHY, NOW - timedelta(seconds=5), timedelta(0))
    (good,) = await machine.examine_ledger(LedgerAddress(path), ledger, "", NOW)
    assert "last written 5 s ago" in good.message


async def test_a_ledger_that_fails_when_it_is_read(tmp_path: Path) -> None:
    """It is a failure of the ledger, never a traceback."""

    class Failing(MemoryLedger):
        async def noticed_at(self, cause: str) -> datetime | None:
            raise LedgerError("disk I/O error")

    (check,) = await machine.examine_ledger(LedgerAddress(tmp_path / "tocsin.db"), Failing(), "", NOW)
    assert check.ok is False
    assert "disk I/O error" in check.message


async def test_whether_a_daemon_lives(tmp_path: Path) -> None:
    """Nobody ever: not tried. Renewed: well. Left behind, or given back: a failure with the way to start it."""
    now = datetime.now(UTC)
    (never,) = await machine.examine_daemon(tmp_path, now, DiskThreads)
    assert never.ok is None
    mark = WatchMark(tmp_path)
    mark.claim()
    mark.renew()
    (alive,) = await machine.examine_daemon(tmp_path, datetime.now(UTC), DiskThreads)
    assert alive.ok is True
    (dead,) = await machine.examine_daemon(tmp_path, now + timedelta(minutes=10), DiskThreads)
    assert dead.ok is False
    assert "systemctl start tocsin" in dead.cure
    mark.release()
    (stopped,) = await machine.examine_daemon(tmp_path, datetime.now(UTC), DiskThreads)
    assert stopped.ok is False
    assert "it was stopped" in stopped.message


async def outside(folder: Path, **more: object) -> dict[str, Check]:
    async def find(host: str) -> tuple[str, ...] | str:
        return ("192.0.2.1",) if "good" in host else "is not found (no such name)"

    checks = await machine.examine_outside(settings(folder, **more), find)
    return {check.code: check for check in checks}


async def test_links_and_the_heartbeat(tmp_path: Path) -> None:
    """Not set: not tried. A host that is not found, or too long for an SMS, fails; http is looked at."""
    none = await outside(tmp_path)
    assert [check.ok for check in none.values()] == [None, None]
    assert "dead man's switch" in none["heartbeat"].cure
    key = {"signing_key": ["x" * 32]}
    url = {"public_url": "https://good.acme.dev", "web": key, "heartbeat": {"url": "https://good.hc.dev/x"}}
    well = await outside(tmp_path, **url)
    assert [(check.ok, check.cure) for check in well.values()] == [(True, ""), (True, "")]
    lost = {"public_url": "https://bad.acme.dev", "web": key, "heartbeat": {"url": "https://bad.hc.dev/x"}}
    assert [check.ok for check in (await outside(tmp_path, **lost)).values()] == [False, False]
    long = {"public_url": f"https://good{'x' * 40}.dev", "web": key}
    assert (await outside(tmp_path, **long))["public-url"].ok is False
    assert (await outside(tmp_path, public_url="http://good.dev", web=key))["public-url"].cure
    assert (await outside(tmp_path, public_url="https://good.dev"))["public-url"].ok is None


async def test_what_hangs_is_told_and_the_rest_stands(tmp_path: Path) -> None:
    """Everything is looked at side by side; what has no end by the deadline is one failure."""
    waited: list[Sequence[str]] = []

    async def never() -> list[Check]:
        await asyncio.sleep(60)
        return []

    async def quick() -> list[Check]:
        return [Check("quick", "it", True, "well")]

    found = await examine(
        [Examination("slow", "slow-code", never), Examination("quick", "q", quick)], waited.append, 0.3
    )
    assert [title for title, _ in found] == ["slow", "quick"]
    assert [(check.code, check.ok) for _, checks in found for check in checks] == [
        ("slow-code", False),
        ("quick", True),
    ]
    assert waited[0] == ["slow", "quick"]
    assert ["slow"] in waited
    assert not waited[-1]


async def test_hosts_are_found_as_the_machine_finds_them() -> None:
    """A name of this machine, an address, and none."""
    assert "127.0.0.1" in await resolve(DiskThreads, "localhost")
    assert await resolve(DiskThreads, "192.0.2.7") == ("192.0.2.7",)
    assert "is not found" in str(await resolve(DiskThreads, "nowhere.invalid"))


def test_when_addresses_proved_to_work() -> None:
    """Each address of each person; one that never did has neither instant nor way."""
    people = small_policy().people
    ana = people["ana"]
    proofs = {(Channel.EMAIL, ana.email): Proof(NOW, ProvedBy.ACCEPTED)}
    proven = {(it.person, it.via): (it.at, it.by) for it in proven_addresses(small_policy(), proofs)}
    assert proven["ana", Channel.EMAIL] == (NOW, "accepted")
    assert set(proven) == {(person.id, via) for person in people.values() for via in person.channels}
    assert {value for key, value in proven.items() if key != ("ana", Channel.EMAIL)} == {(None, None)}
