"""A work tree whose `.git/config` names programs everywhere: every command of tocsin in it runs none of them (G1)."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.builders.hostile_repository import HostileRepository
from tests.fakes.pager import CONFIG, Pager

IDENTITY = {f"GIT_{who}_{what}": "x@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
ALONE = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
SCRIPT = "id: pay\ntitle: Card payments fail\nseverity: sev1\nstatus: investigating\n"


def git(at: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=at, env=os.environ | IDENTITY | ALONE, check=True, capture_output=True)


@pytest.mark.attack
@pytest.mark.parametrize("included", [False, True])
def test_every_command_in_a_hostile_repository(tmp_path: Path, included: bool) -> None:
    """check, simulate, diff, test, run with a reload, and pull; what they do is what they do in any other."""
    top = tmp_path / "ours"
    top.mkdir()
    pager = Pager(top, **ALONE)
    (top / ".gitignore").write_text("var\nlog\nincidents\nreviews\n")
    git(top, "init", "--quiet", "--initial-branch=main")
    git(top, "add", "--all")
    git(top, "commit", "--quiet", "--message", "first")
    git(tmp_path, "clone", "--quiet", "--bare", str(top), str(tmp_path / "upstream.git"))
    git(top, "remote", "add", "origin", str(tmp_path / "upstream.git"))
    git(top, "fetch", "--quiet", "origin")
    git(top, "branch", "--set-upstream-to=origin/main")
    git(tmp_path, "clone", "--quiet", str(tmp_path / "upstream.git"), str(tmp_path / "theirs"))
    hostile = HostileRepository(top, tmp_path / "canaries")
    hostile.turn(included=included)
    pager.write("pay.yaml", SCRIPT)
    (top / "config" / "all.yaml").write_text(CONFIG.replace("5m", "6m"))
    assert pager.run("check").returncode == 0
    assert "sev1" in pager.run("simulate", "incidents/pay.yaml").stdout.lower()
    assert pager.run("diff", "HEAD").returncode == 0
    pager.start()
    pager.until(lambda: pager.mails(kind="page"))
    (top / "config" / "all.yaml").write_text(CONFIG)
    pager.until(lambda: pager.said("config"))
    (tmp_path / "theirs" / "config" / "all.yaml").write_text(CONFIG.replace("5m", "7m"))
    git(tmp_path / "theirs", "commit", "--quiet", "--all", "--message", "second")
    git(tmp_path / "theirs", "push", "--quiet")
    pulled = pager.run("pull")
    assert pulled.stdout.startswith("pulled 1 commit"), pulled.stdout + pulled.stderr
    assert "7m" in (top / "config" / "all.yaml").read_text()
    assert pager.stop() == 0
    assert hostile.ran == []
