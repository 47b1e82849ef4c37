"""A folder as it was at a revision, read out of real repositories: links, limits, and git's own traps."""

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tocsin.adapters.git import read as git
from tocsin.adapters.git.pull import upstream
from tocsin.app.configuration.revisions import open_config

from tests.fakes.bounded_work import SameProcess


def run(top: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Ana", "-c", "user.email=ana@example.com"]
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return subprocess.run(
        ["git", *identity, *arguments], cwd=top, env=own, check=True, capture_output=True, text=True
    ).stdout.strip()


def commit(top: Path) -> str:
    run(top, "add", "-A")
    run(top, "commit", "-q", "--allow-empty", "-m", "a change")
    return run(top, "rev-parse", "HEAD")


def everything(path: str) -> int:
    return 100


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder in a repository, with a file below it and one beside it."""
    run(tmp_path, "init", "-q", "-b", "main")
    found = tmp_path / "ops" / "my config"
    (found / "teams").mkdir(parents=True)
    (found / "a.yaml").write_bytes(b"a: 1\r\n")
    (found / "teams" / "grün.yaml").write_bytes(b"b: 2\n")
    (tmp_path / "beside.yaml").write_bytes(b"c: 3\n")
    commit(tmp_path)
    return found


def held(folder: Path, name: str = "HEAD") -> git.Revision:
    found = git.revision(folder, name)
    assert isinstance(found, git.Revision)
    return found


def test_a_folder_as_it_was(folder: Path) -> None:
    """Files come by their path in the folder, byte for byte, whatever the work tree has now."""
    before = run(folder, "rev-parse", "HEAD")
    (folder / "a.yaml").write_bytes(b"a: 2\n")
    commit(folder)
    (folder / "a.yaml").unlink()
    found = held(folder, "HEAD~1")
    assert found.commit == before
    assert git.files(found, everything) == ({"a.yaml": b"a: 1\r\n", "teams/grün.yaml": b"b: 2\n"}, {})
    assert git.blob(found, "teams/../../../beside.yaml") == b"c: 3\n"
    assert git.blob(found, "../../../outside.yaml") is None


def test_a_folder_that_is_gone_now(folder: Path) -> None:
    """A folder need not exist any more to be read as it was."""
    (folder / "a.yaml").rename(folder.parent / "a.yaml")
    (folder / "teams" / "grün.yaml").unlink()
    (folder / "teams").rmdir()
    folder.rmdir()
    assert "a.yaml" in git.files(held(folder), everything)[0]


def test_a_repository_of_its_own(folder: Path) -> None:
    """The folder may be the top of a repository, also one inside of another."""
    run(folder, "init", "-q", "-b", "main")
    (folder / "a.yaml").write_bytes(b"own: 1\n")
    commit(folder)
    assert git.files(held(folder, "main"), everything)[0]["a.yaml"] == b"own: 1\n"


def test_links(folder: Path) -> None:
    """A link to a file of the folder is that file; others are told, and none is followed out of it."""
    (folder / "link.yaml").symlink_to("teams/grün.yaml")
    (folder / "again.yaml").symlink_to("link.yaml")
    (folder / "out.yaml").symlink_to("../../beside.yaml")
    (folder / "round.yaml").symlink_to("round.yaml")
    (folder / "all").symlink_to("teams")
    commit(folder)
    files, trouble = git.files(held(folder), everything)
    assert files["link.yaml"] == files["again.yaml"] == b"b: 2\n"
    assert sorted(trouble) == ["all", "out.yaml", "round.yaml"]


def test_limits(folder: Path) -> None:
    """A file over its limit comes one byte too long, one that is not wanted not at all."""
    (folder / "large.yaml").write_bytes(b"x" * 1000)
    (folder / "logo.png").write_bytes(b"x")
    commit(folder)
    files, _ = git.files(held(folder), lambda path: 100 if path.endswith(".yaml") else 0)
    assert len(files["large.yaml"]) == 101
    assert git.files(held(folder), lambda path: 1000 if path.endswith(".yaml") else 0)[0]["large.yaml"] == b"x" * 1000
    assert "logo.png" not in files


@pytest.mark.parametrize("name", ["", "-x", "--all", "HEAD:ops", "nope", "main\nHEAD", "HEAD~9"])
def test_no_such_revision(folder: Path, name: str) -> None:
    """Whatever names no commit is no revision; options are never passed on to git."""
    found = git.revision(folder, name)
    assert isinstance(found, git.NoRevision)
    assert found.lack is git.Lack.REVISION
    assert found.known == ("main",)


def test_what_else_there_may_not_be(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that the revision lacks, a folder in no repository, and a machine without git."""
    assert git.revision(tmp_path / "ops" / "new", "HEAD") == git.NoRevision(git.Lack.FOLDER)
    assert git.revision(Path("/"), "HEAD") == git.NoRevision(git.Lack.REPOSITORY)
    monkeypatch.setenv("PATH", "")
    assert git.revision(folder, "HEAD") == git.NoRevision(git.Lack.REPOSITORY)


def test_a_shallow_clone(folder: Path, tmp_path: Path) -> None:
    """That a clone lacks most commits is known where one is missing."""
    commit(folder)
    run(tmp_path, "clone", "-q", "--depth", "1", tmp_path.as_uri(), str(tmp_path / "clone"))
    found = git.revision(tmp_path / "clone" / "ops" / "my config", "HEAD~1")
    assert isinstance(found, git.NoRevision)
    assert found.shallow


def test_a_hook_names_another_repository(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables of a git hook do not lead away from the folder's own repository."""
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path))
    assert "a.yaml" in git.files(held(folder), everything)[0]


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
def test_somebody_elses_repository_is_named(folder: Path, tmp_path: Path) -> None:
    """Git will not read it; whose it is and what to do is said, by diff and by pull alike, and we do not overrule it."""
    os.chown(tmp_path, 65534, 65534)
    advice = f"run it as nobody, or if you do: git config --global --add safe.directory {tmp_path}"
    told = f"git does not trust {tmp_path}, which belongs to nobody; {advice}"
    found = git.revision(folder, "HEAD")
    assert isinstance(found, git.NoRevision)
    assert found.distrust == told
    assert upstream(folder) == told
    refusal = open_config(SameProcess(), folder, "HEAD", datetime(2026, 11, 23, tzinfo=UTC), {})
    assert isinstance(refusal, str)
    assert refusal.endswith(f"cannot be compared: {told}")
