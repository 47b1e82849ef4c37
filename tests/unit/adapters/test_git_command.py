"""Git commands as they are run: what they are told, how they end, and that nothing of them goes on."""

import os
import subprocess
import time
from pathlib import Path

import pytest
from tocsin.adapters.git import command


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `git` of ours, first on the path: what it runs is written by the test."""
    script = tmp_path / "bin" / "git"
    script.parent.mkdir()
    monkeypatch.setenv("PATH", f"{script.parent}:{os.environ['PATH']}")
    return script


def write(script: Path, text: str) -> None:
    script.write_text(f"#!/bin/sh\n{text}\n")
    script.chmod(0o755)


def alive(pid: int) -> bool:
    """Whether a process still runs (one that has ended and waits to be noticed does not)."""
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


def test_how_it_ends(stand_in: Path, tmp_path: Path) -> None:
    """Status, output and complaints come apart; output is bytes, its line is text."""
    write(stand_in, 'printf " a\\0b\\n"; echo "fatal: no" >&2; exit 3')
    done = command.run(tmp_path, ["status"], 5)
    assert (done.status, done.output, done.line, done.complaint) == (3, b" a\0b\n", "a\0b", "fatal: no")


def test_its_input(stand_in: Path, tmp_path: Path) -> None:
    """What is given is read; where nothing is, git reads an end and waits for nobody."""
    write(stand_in, "cat")
    assert command.run(tmp_path, ["cat-file"], 5, b"one\ntwo\n").output == b"one\ntwo\n"
    assert command.run(tmp_path, ["cat-file"], 5).output == b""


def test_a_command_that_hangs_is_ended_with_its_children(
    stand_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the deadline nothing of it goes on, not even what does not care for a signal; the reason is told."""
    monkeypatch.setattr(command, "ENDS_WITHIN", 0.3)
    write(
        stand_in,
        f"trap '' TERM; sh -c 'trap \"\" TERM; echo $$ > {tmp_path}/child; sleep 60' & echo $$ > {tmp_path}/git; sleep 60",
    )
    began = time.monotonic()
    done = command.run(tmp_path, ["fetch"], 0.5)
    assert time.monotonic() - began < 10
    assert (done.status, done.complaint) == (124, "git fetch took over 0.5 s and was ended")
    pids = [int((tmp_path / name).read_text()) for name in ("git", "child")]
    for _ in range(50):
        if not any(map(alive, pids)):
            break
        time.sleep(0.1)
    assert not any(map(alive, pids))


def test_one_that_tidies_up_is_given_the_time(stand_in: Path, tmp_path: Path) -> None:
    """Git is told to end before it is killed, so that it takes its lock files away."""
    write(stand_in, f"trap 'rm {tmp_path}/lock; exit 1' TERM; touch {tmp_path}/lock; while :; do sleep 0.05; done")
    assert command.run(tmp_path, ["merge"], 0.5).status == 124
    assert not (tmp_path / "lock").exists()


def test_no_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without git is told so."""
    monkeypatch.setenv("PATH", str(tmp_path))
    done = command.run(tmp_path, ["status"], 5)
    assert done.status == 127
    assert done.complaint.startswith("git cannot be run: ")


def test_its_variables(stand_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that names another repository reaches git, and nothing makes it ask; all else it gets as we have it."""
    write(stand_in, "env")
    local = subprocess.run(["/usr/bin/env", "git", "rev-parse", "--local-env-vars"], capture_output=True, text=True,
                           env={"PATH": os.environ["PATH"].partition(":")[2]}, check=True)  # fmt: skip
    for name in local.stdout.split():
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("GIT_SSL_NO_VERIFY", "1")
    monkeypatch.delenv("GIT_SSH_COMMAND", raising=False)
    lines = command.run(tmp_path, ["status"], 5).line.splitlines()
    own = dict(line.partition("=")[::2] for line in lines)
    assert {name for name in local.stdout.split() if name in own and "CONFIG" not in name} == set()
    assert {
        name: own[name] for name in ("GIT_TERMINAL_PROMPT", "GIT_OPTIONAL_LOCKS", "LC_ALL", "GIT_SSL_NO_VERIFY")
    } == {
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "LC_ALL": "C",
        "GIT_SSL_NO_VERIFY": "1",
    }
    assert "GIT_SSH_COMMAND" not in own


@pytest.mark.parametrize(
    ("environ", "ssh", "runs"),
    [
        ({}, "", "ssh -o BatchMode=yes -o ConnectTimeout=15"),
        ({}, "ssh -i key", "ssh -i key -o BatchMode=yes -o ConnectTimeout=15"),
        ({"GIT_SSH_COMMAND": "mine"}, "ssh -i key", "mine -o BatchMode=yes -o ConnectTimeout=15"),
        ({"GIT_SSH": "plink"}, "", "plink"),
        ({"GIT_SSH": "plink"}, "ssh -i key", "ssh -i key -o BatchMode=yes -o ConnectTimeout=15"),
    ],
)
def test_its_way_over_the_network(
    stand_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], ssh: str, runs: str
) -> None:
    """The environment's ssh command is used before the config's, told not to ask; a program named by GIT_SSH is run as
    it is, as it may not know ssh's options, and before what a repository names.
    """
    for name in ("GIT_SSH", "GIT_SSH_COMMAND"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    write(stand_in, 'echo "$GIT_SSH_COMMAND"')
    assert command.run(tmp_path, ["fetch"], 5, ssh=ssh).line == runs


@pytest.mark.parametrize(
    ("errors", "complaint"),
    [
        ("hint: x\nfatal: a\nfatal: b\n", "fatal: a"),
        ("git@x: Permission denied (publickey).\nfatal: Could not read.\n",
         "git@x: Permission denied (publickey). fatal: Could not read."),
        ("warning only\nmore\n", "warning only"),
        ("  \n", "git failed without a word"),
        ("fatal: https://a:b@x/ and ssh://c@y/z", "fatal: https://x/ and ssh://y/z"),
        ("fatal: " + "x" * 400, "fatal: " + "x" * 293),
    ],
)  # fmt: skip
def test_its_complaint(errors: str, complaint: str) -> None:
    """One line for people: why there was no way, then the first grave word, without passwords, of bounded length."""
    assert command.Done(1, b"", errors).complaint == complaint
