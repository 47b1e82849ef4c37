"""Nothing that the config of a repository names is run, whatever is asked of it (attack G1)."""

import os
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import pytest
from tocsin.adapters.git import read as git

from tests.builders.hostile_repository import HostileRepository
from tests.unit.app.test_pull import CONFIG, GOOD, Repositories


@pytest.fixture(autouse=True)
def _git_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Git without the settings of whoever runs the tests."""
    for name in ("GLOBAL", "SYSTEM"):
        monkeypatch.setenv(f"GIT_CONFIG_{name}", os.devnull)
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", who)
        monkeypatch.setenv(f"GIT_{who}_EMAIL", f"{who}@example.com")


@pytest.mark.parametrize("included", [False, True])
def test_no_program_of_a_repository_is_run(tmp_path: Path, included: bool) -> None:
    """Looking at it, reading revisions, following its upstream: filters, hooks, helpers, proxies, signatures, and a
    promisor that would be asked for a missing object. What was pulled is there, byte for byte.
    """
    repositories = Repositories(tmp_path)
    repositories.push({"config/notes.txt": "one\n", "config/notes.md": "one\n"})
    repositories.git("pull", "--quiet")
    folder = repositories.ours / "config"
    hostile = HostileRepository(repositories.ours, tmp_path / "canaries")
    hostile.turn(included=included)
    (folder / "all.yaml").write_text(CONFIG + "# touched\n")
    changed = git.commit(folder)
    assert changed is not None
    assert changed.endswith("+")
    (folder / "all.yaml").write_text(CONFIG)
    same = git.commit(folder)
    assert same == changed.removesuffix("+")
    revision = git.revision(folder, "HEAD~1")
    assert isinstance(revision, git.Revision)
    assert git.files(revision, lambda _path: 1 << 20)[0]["all.yaml"] == CONFIG.encode()
    assert git.blob(revision, "../nothing") is None
    assert isinstance(git.revision(folder, "0" * 40), git.NoRevision)
    repositories.push({"config/all.yaml": GOOD, "config/notes.txt": "two\n", "config/notes.md": "two\n"})
    done = repositories.pull()
    assert done.lines[0].startswith("pulled 1 commit: "), done.lines
    assert (folder / "all.yaml").read_text() == GOOD
    assert (folder / "notes.txt").read_text() == (folder / "notes.md").read_text() == "two\n"
    assert hostile.ran == []


class Closed(BaseHTTPRequestHandler):
    """A server that wants a password, which it notes."""

    asked: ClassVar[list[str | None]] = []

    def do_GET(self) -> None:
        self.asked.append(self.headers["Authorization"])
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="git"')
        self.end_headers()

    def log_message(self, *_words: object) -> None:
        """Quietly."""


@pytest.fixture
def closed() -> Iterator[str]:
    """The address of a repository behind such a server."""
    Closed.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Closed) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/x.git"
        server.shutdown()


@pytest.mark.parametrize("url", ["ext::{program} %S", "evil:x", "git@git.invalid:x.git", "git://127.0.0.1/x", ""])
def test_no_upstream_starts_a_program_of_its_repository(tmp_path: Path, closed: str, url: str) -> None:
    """However the upstream is named: a transport that is a program, an ssh command, a proxy, a helper for passwords."""
    repositories = Repositories(tmp_path)
    hostile = HostileRepository(repositories.ours, tmp_path / "canaries")
    hostile.turn()
    repositories.git("config", "remote.origin.url", url.format(program=hostile.program("url")) or closed)
    assert not repositories.pull().good
    assert hostile.ran == []
    assert len(Closed.asked) == (not url)


def test_helpers_of_the_user_who_pulls_are_used(tmp_path: Path, closed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords come from where that user's own config says, and from nowhere else."""
    repositories = Repositories(tmp_path)
    HostileRepository(repositories.ours, tmp_path / "canaries").turn()
    repositories.git("config", "remote.origin.url", closed)
    config = tmp_path / "gitconfig"
    config.write_text('[credential]\n\thelper = "!f() { echo username=ana; echo password=secret; }; f"\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    assert not repositories.pull().good
    assert Closed.asked[-1] == "Basic " + b64encode(b"ana:secret").decode()
    assert not (tmp_path / "canaries" / "ran").exists()


def test_a_missing_object_is_not_fetched(tmp_path: Path) -> None:
    """A partial clone whose promisor is a program: what is missing is missing."""
    repositories = Repositories(tmp_path)
    blob = repositories.git("rev-parse", "HEAD:config/all.yaml")
    hostile = HostileRepository(repositories.ours, tmp_path / "canaries")
    hostile.turn()
    (repositories.ours / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    revision = git.revision(repositories.ours / "config", "HEAD")
    if isinstance(revision, git.Revision):
        _, trouble = git.files(revision, lambda _path: 1 << 20)
        assert "all.yaml" in trouble
    assert hostile.ran == []


def test_the_canaries_sing(tmp_path: Path) -> None:
    """Git itself does run them: the tests above could fail."""
    repositories = Repositories(tmp_path)
    hostile = HostileRepository(repositories.ours, tmp_path / "canaries")
    hostile.turn()
    (repositories.ours / "config" / "all.yaml").write_text(CONFIG + "# touched\n")
    for command in (["status"], ["log", "-1"], ["fetch", "origin"], ["checkout", "--", "config/all.yaml"]):
        subprocess.run(["git", *command], cwd=repositories.ours, capture_output=True, check=False)
    assert {"core.fsmonitor", "filter.evil.clean", "remote.origin.uploadpack", "filter.evil.smudge"} <= set(hostile.ran)


def test_a_config_that_names_another_work_tree(tmp_path: Path) -> None:
    """`core.worktree`: there is no revision of the folder then, and no traceback."""
    repositories = Repositories(tmp_path)
    repositories.git("config", "core.worktree", str(tmp_path / "canaries"))
    (tmp_path / "canaries").mkdir()
    assert isinstance(git.revision(repositories.ours / "config", "HEAD"), git.NoRevision)
    git.commit(repositories.ours / "config")


def test_what_differs_from_its_commit(tmp_path: Path) -> None:
    """A changed, added, staged, missing file, a link that leads elsewhere; not what is ignored, nor outside of it."""
    repositories = Repositories(tmp_path)
    folder, first = repositories.ours / "config", "config/all.yaml"
    repositories.commit({"config/.gitignore": "*.swp\n", "other": "x"}, repositories.ours)
    (folder / "link").symlink_to("all.yaml")
    repositories.commit({}, repositories.ours)
    clean = git.commit(folder)
    assert clean is not None
    assert not clean.endswith("+")
    (repositories.ours / "other").write_text("y")
    (folder / "x.swp").write_text("")
    assert git.commit(folder) == clean

    def changed() -> bool:
        return git.commit(folder) == clean + "+"

    (folder / "new.yaml").write_text("")
    assert changed()
    repositories.git("add", "config/new.yaml")
    assert changed()
    repositories.git("rm", "--quiet", "--force", "config/new.yaml")
    (folder / "all.yaml").rename(folder / "x.swp")
    assert changed()
    repositories.git("checkout", first)
    (folder / "link").unlink()
    (folder / "link").symlink_to("tocsin.yaml")
    assert changed()
