"""What somebody without rights is told: that a path is closed to them, and which group has the key."""

import errno
import grp
import os
import pwd
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from tocsin.adapters.files.rights import closed, is_folder, mode_in, way_to_write, why_not
from tocsin.adapters.ledger.sqlite.lock import Lock, is_locked

NOBODY = 65534
STRANGER = pwd.getpwuid(NOBODY).pw_name
OWNER = pwd.getpwuid(os.getuid()).pw_name
GROUP = grp.getgrgid(os.getgid()).gr_name


def as_stranger(ask: Callable[[], object]) -> str:
    """What a process answers that belongs to nobody: root may read everything."""
    if os.getuid() != 0:
        return str(ask())
    read, write = os.pipe()
    if (child := os.fork()) == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        os.write(write, str(ask()).encode())
        os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    with os.fdopen(read) as answer:
        return answer.read()


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A folder that strangers can reach, with a file in it."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder == Path(tempfile.gettempdir()):
            break
        folder.chmod(0o755)
    state = tmp_path / "state"
    state.mkdir(mode=0o755)
    (state / "ledger").write_text("x")
    (state / "ledger").chmod(0o644)
    return state


def test_nothing_is_said_where_nothing_is_closed(state: Path) -> None:
    """What can be read, and what is not there, is not closed."""
    assert as_stranger(lambda: closed(state / "ledger")) == ""
    assert as_stranger(lambda: closed(state / "none" / "nothing")) == ""


@pytest.mark.skipif(os.getuid() != 0, reason="whoever owns the folder is no stranger")
def test_a_group_is_named_where_it_has_the_key(state: Path) -> None:
    """A folder that lets its group in, or a file that its group may read: ask to be in that group."""
    advice = f"cannot be read by {STRANGER}; ask to be in the group {GROUP}"
    state.chmod(0o750)
    assert as_stranger(lambda: closed(state / "ledger")) == advice
    state.chmod(0o755)
    (state / "ledger").chmod(0o640)
    assert as_stranger(lambda: closed(state / "ledger")) == advice
    assert as_stranger(lambda: closed(state, "written", os.W_OK)) == (
        f"cannot be written by {STRANGER}; {state} is for {OWNER} alone"
    )


@pytest.mark.skipif(os.getuid() != 0, reason="whoever owns the folder is no stranger")
def test_a_session_from_before_somebody_joined_is_told_so(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is in the group by now, but not by this login, has nobody to ask: a new login opens it."""
    monkeypatch.setattr("grp.getgrgid", lambda number: grp.struct_group((GROUP, "x", number, [STRANGER])))
    state.chmod(0o750)
    assert as_stranger(lambda: closed(state / "ledger")) == (
        f"cannot be read by {STRANGER}; log in anew: this session began before {STRANGER} was in the group {GROUP}"
    )


@pytest.mark.skipif(os.getuid() != 0, reason="whoever owns the folder is no stranger")
def test_what_is_for_one_alone_says_so(state: Path) -> None:
    """A folder of mode 0700: no group helps; the door that is closed is named, and whose it is."""
    state.chmod(0o700)
    assert (
        as_stranger(lambda: closed(state / "ledger")) == f"cannot be read by {STRANGER}; {state} is for {OWNER} alone"
    )
    assert as_stranger(lambda: is_folder(state / "deeper")) == "False"


def test_other_faults_speak_for_themselves(state: Path) -> None:
    """A disk that fails is no matter of rights."""
    fault = OSError(errno.EIO, "Input/output error")
    assert why_not(state, fault) == "cannot be read: input/output error"
    assert why_not(state, PermissionError(errno.EPERM, "Operation not permitted")) == (
        "cannot be read: operation not permitted"
    )


@pytest.mark.parametrize(("folder", "file"), [(0o700, 0o600), (0o750, 0o640), (0o755, 0o600), (0o711, 0o600)])
def test_a_group_reads_where_its_folder_is_for_it(state: Path, folder: int, file: int) -> None:
    """The ledger is private; only in a folder that was opened to a group, and to nobody else, does the group read it."""
    state.chmod(folder)
    assert mode_in(state) == file


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
def test_the_way_to_a_ledger_that_cannot_be_written(state: Path) -> None:
    """Root's files in one's own folder want another owner, somebody else's folder another user, a folder another name."""
    ledger = state / "ledger"
    assert as_stranger(lambda: way_to_write(ledger)) == f"{state} belongs to root; as root: chown {STRANGER}: {state}"
    os.chown(state, NOBODY, NOBODY)
    assert (
        as_stranger(lambda: way_to_write(ledger)) == f"{ledger} belongs to root; as root: chown {STRANGER}: {ledger}*"
    )
    os.chown(ledger, NOBODY, NOBODY)
    assert as_stranger(lambda: way_to_write(ledger)) == ""
    (state / "ledger.lock").touch(mode=0o600)
    assert as_stranger(lambda: way_to_write(ledger)).endswith(f"chown {STRANGER}: {ledger}*")
    os.chown(state, 1, 1)
    host = pwd.getpwuid(1).pw_name
    assert as_stranger(lambda: way_to_write(ledger)) == (
        f"{state} belongs to {host}; start it as {host}: systemctl start tocsin"
    )
    assert way_to_write(state) == f"{state} is a folder; move it away"
    assert way_to_write(state / "none" / "ledger") == ""


@pytest.mark.skipif(os.getuid() != 0, reason="whoever owns the folder is no stranger")
def test_a_group_sees_the_lock_and_cannot_take_it(state: Path) -> None:
    """Whoever could open the lock's file could keep the daemon from its next start: nobody else can, also where an
    earlier version let the group. Whether a daemon works is still known, as Linux says.
    """
    state.chmod(0o755)
    file = state / "tocsin.db.lock"
    file.touch(mode=0o644)
    file.chmod(0o644)
    lock = Lock(state / "tocsin.db")
    assert as_stranger(lambda: (os.access(file, os.R_OK), is_locked(state / "tocsin.db"))) == "(False, True)"
    lock.release()
    assert as_stranger(lambda: is_locked(state / "tocsin.db")) == "False"
    state.chmod(0o700)
    assert as_stranger(lambda: is_locked(state / "tocsin.db")) == "True"
