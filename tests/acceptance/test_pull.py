"""`tocsin pull` beside a running daemon: the installed command, real git, the ledger between the two, the outbox."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.pager import CONFIG, Pager

IDENTITY = {f"GIT_{who}_{what}": "ana@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
ALONE = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}


@pytest.fixture
def pager(tmp_path: Path) -> Iterator[Pager]:
    (tmp_path / "ours").mkdir()
    pager = Pager(tmp_path / "ours", **IDENTITY, **ALONE)
    yield pager
    if pager.process is not None:
        pager.stop(signal.SIGKILL)


@pytest.mark.attack
def test_the_daemon_follows_its_repository(pager: Pager, tmp_path: Path) -> None:
    """A refused commit changes nothing and one message tells each operator where and why, also when it was refused
    while the daemon was down; a good commit is in force soon after.
    """
    theirs, upstream = tmp_path / "theirs", tmp_path / "upstream.git"

    def git(*arguments: str, at: Path = pager.folder) -> None:
        subprocess.run(["git", *arguments], cwd=at, env=pager.environ, check=True, capture_output=True)

    def push(text: str) -> None:
        (theirs / "config" / "all.yaml").write_text(text)
        git("commit", "--quiet", "--all", "--message", "a change", at=theirs)
        git("push", "--quiet", at=theirs)

    (pager.folder / ".gitignore").write_text("/var/\n/incidents/\n/reviews/\n/log\n")
    git("init", "--quiet", "--initial-branch=main")
    git("add", "--all")
    git("commit", "--quiet", "--message", "the first")
    git("clone", "--quiet", "--bare", str(pager.folder), str(upstream))
    git("remote", "add", "origin", str(upstream))
    git("fetch", "--quiet", "origin")
    git("branch", "--quiet", "--set-upstream-to=origin/main")
    git("clone", "--quiet", str(upstream), str(theirs))

    pager.start()
    assert pager.run("pull").stdout.startswith("nothing new")
    assert pager.stop() == 0
    push(CONFIG.replace("chain: [ana, bo]", "chain: [anna, bo]"))
    for _ in range(2):
        refused = pager.run("pull")
        assert (refused.returncode, refused.stdout) == (1, "")
        assert "config/all.yaml:7:70: error: " in refused.stderr
    pager.start()
    told = pager.until(lambda: pager.mails("operator"))
    assert pager.run("pull").returncode == 1
    assert "all.yaml:7:70: error: " in " ".join(str(told[0].get_body()).split())
    push(CONFIG.replace("acknowledge_within: 5m", "acknowledge_within: 7m"))
    done = pager.run("pull")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("pulled 2 commits")
    pager.until(lambda: pager.said("config"))
    assert len(pager.mails("operator")) == 1
