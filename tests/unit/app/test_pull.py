"""`tocsin pull` on real git repositories: an upstream, the clone that the daemon reads, and somebody who pushes."""

import os
import stat
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tocsin.adapters.git import command
from tocsin.app.configuration.pull import PullResult, pull
from tocsin.ports.bounded_work import Overrun, OverrunCause

from tests.fakes.bounded_work import SameProcess
from tests.fakes.pager import CONFIG, SETTINGS

T0 = datetime(2026, 11, 23, 10, tzinfo=UTC)
GOOD = CONFIG.replace("acknowledge_within: 5m", "acknowledge_within: 7m")
BAD = CONFIG.replace("chain: [ana, bo]", "chain: [anna, bo]")


@pytest.fixture(autouse=True)
def _git_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Git without the settings of whoever runs the tests."""
    for name, value in {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        **{f"GIT_{who}_{what}": f"{who.lower()}@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)


class Repositories:
    """A bare upstream, a colleague's clone that pushes to it, and ours."""

    def __init__(self, folder: Path) -> None:
        self.upstream, self.theirs, self.ours = (folder / name for name in ("upstream.git", "theirs", "ours"))
        self.git("init", "--quiet", "--bare", "--initial-branch=main", str(self.upstream), at=folder)
        self.git("clone", "--quiet", str(self.upstream), str(self.theirs), at=folder)
        self.push({"config/all.yaml": CONFIG, "config/tocsin.yaml": SETTINGS})
        self.git("clone", "--quiet", str(self.upstream), str(self.ours), at=folder)

    def git(self, *arguments: str, at: Path | None = None) -> str:
        done = subprocess.run(["git", *arguments], cwd=at or self.ours, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def commit(self, files: dict[str, str], at: Path) -> None:
        for name, text in files.items():
            (at / name).parent.mkdir(parents=True, exist_ok=True)
            (at / name).write_text(text)
        self.git("add", "--all", at=at)
        self.git("commit", "--quiet", "--message", "a change", at=at)

    def push(self, files: dict[str, str], *options: str) -> None:
        self.commit(files, self.theirs)
        self.git("push", "--quiet", *options, "origin", "HEAD:main", at=self.theirs)

    def pull(self, **environ: str) -> PullResult:
        return pull(SameProcess(), self.ours / "config", T0, environ)

    def head(self) -> str:
        return self.git("rev-parse", "HEAD")

    def status(self) -> str:
        return self.git("status", "--porcelain")


@pytest.fixture
def repositories(tmp_path: Path) -> Repositories:
    return Repositories(tmp_path)


def test_a_good_change_is_pulled_once(repositories: Repositories) -> None:
    """What is new upstream is checked out, whole; the next pull finds nothing new; the operators hear of neither."""
    first = repositories.pull()
    assert first.good
    assert first.lines[0].startswith("nothing new: main is at ")
    repositories.push({"config/all.yaml": GOOD})
    repositories.push({"README": "words"})
    done = repositories.pull()
    assert (done.good, done.word) == (True, "")
    assert done.lines[0].startswith("pulled 2 commits: main is now at ")
    assert (repositories.ours / "config" / "all.yaml").read_text() == GOOD
    assert repositories.status() == ""
    assert repositories.pull().lines[0].startswith("nothing new")


def test_a_config_with_errors_is_not_checked_out(repositories: Repositories) -> None:
    """It is read before anything is touched; every problem is told with its place, and a mended one is pulled."""
    before = repositories.head()
    repositories.push({"config/all.yaml": BAD.replace("to: [support]", "to: [suport]")})
    refused = repositories.pull()
    assert not refused.good
    assert [line.split(": error: ")[0] for line in refused.lines[1:]] == [
        "ours/config/all.yaml:7:70",
        "ours/config/all.yaml:14:21",
    ]
    assert "ours/config/all.yaml:7:70: error: " in refused.word
    assert refused.word.endswith("(and 1 more)")
    assert f"stays at {before[:12]}" in refused.word
    assert (repositories.head(), repositories.status()) == (before, "")
    assert (repositories.ours / "config" / "all.yaml").read_text() == CONFIG
    fetched = repositories.git("rev-parse", "origin/main")
    assert refused.cause == repositories.pull().cause == f"pull:{fetched}"
    repositories.push({"config/all.yaml": GOOD})
    assert repositories.pull().good
    assert (repositories.ours / "config" / "all.yaml").read_text() == GOOD


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("page.sms.txt.j2", "one\n{% nonsense %}", "ours/templates/page.sms.txt.j2:2:1: error: "),
        (
            "update.sms.txt.j2",
            "{% if external %}\n{{ wrong }}{% endif %}.",
            "ours/templates/update.sms.txt.j2:2:1: error: ",
        ),
        (
            "page.sms.txt.j2",
            None,
            "ours/templates/page.sms.txt.j2:1:1: error: the template is a link that leads to no file",
        ),
    ],
    ids=["cannot be parsed", "breaks on a sample", "leads out"],
)
def test_a_revision_with_broken_templates_is_refused(
    repositories: Repositories, name: str, text: str | None, told: str
) -> None:
    """T6: templates of the same repository are judged as by the daemon, before the step; no link out is followed."""
    before = repositories.head()
    (repositories.theirs / "templates").mkdir()
    path = repositories.theirs / "templates" / name
    if text is None:
        path.symlink_to("/etc/passwd")
    repositories.push({"config/all.yaml": GOOD} | ({f"templates/{name}": text} if text else {}))
    refused = repositories.pull()
    assert not refused.good
    assert refused.lines[1].startswith(told)
    assert told in refused.word
    assert "root" not in "".join(refused.lines)
    assert (repositories.head(), repositories.status()) == (before, "")
    path.unlink()
    repositories.push({f"templates/{name}": "Good: {{ title }}"})
    assert repositories.pull().good


def test_a_revision_that_comes_to_no_end_is_refused(repositories: Repositories) -> None:
    """What hangs is refused with its place; where only the machine was slow nobody is told, and the next pull tries."""
    before = repositories.head()
    repositories.push({"config/all.yaml": GOOD})
    slow = Overrun(OverrunCause.MACHINE, "got 0.1 s of the processor within 30 s")
    late = pull(SameProcess(slow), repositories.ours / "config", T0, {})
    assert (late.good, late.word) == (False, "")
    assert "is not pulled yet: judging this config got 0.1 s" in late.lines[0]
    hung = Overrun(OverrunCause.TIME, "takes over 10 s", "config/pay.ics", (("config/pay.ics", 9.8),))
    refused = pull(SameProcess(hung), repositories.ours / "config", T0, {})
    assert "config/pay.ics:1:1: error: reading the whole config takes over 10 s, 9.8 s of it this file" in refused.word
    assert repositories.head() == before
    assert repositories.pull().good


def test_an_unknown_variable_of_the_process_refuses_no_pull(repositories: Repositories) -> None:
    """It is this machine's mistake, not the config's (rule 43)."""
    repositories.push({"config/all.yaml": GOOD})
    assert repositories.pull(TOCSIN_OPERATERS="[ana]").good
    assert (repositories.ours / "config" / "all.yaml").read_text() == GOOD


def test_a_rewritten_upstream_is_refused(repositories: Repositories) -> None:
    """No fast-forward: neither a forced push nor a commit of our own beside theirs is merged or thrown away."""
    repositories.push({"config/all.yaml": GOOD})
    assert repositories.pull().good
    head = repositories.head()
    repositories.git("reset", "--quiet", "--hard", "HEAD~1", at=repositories.theirs)
    repositories.push({"config/more.yaml": "hours: {}\n"}, "--force")
    refused = repositories.pull()
    assert not refused.good
    assert "no fast-forward" in refused.word
    assert repositories.head() == head


def test_commits_of_ones_own_are_left_alone(repositories: Repositories) -> None:
    """A branch that is ahead has nothing to pull; beside new commits upstream it is refused."""
    repositories.commit({"config/mine.yaml": "hours: {}\n"}, repositories.ours)
    assert repositories.pull().good
    repositories.push({"config/all.yaml": GOOD})
    refused = repositories.pull()
    assert (refused.good, "no fast-forward" in refused.word) == (False, True)
    assert (repositories.ours / "config" / "mine.yaml").exists()


@pytest.mark.parametrize("staged", [False, True])
def test_local_changes_are_never_overwritten(repositories: Repositories, staged: bool) -> None:
    """A changed file that the new commit changes too stops the pull, with the file's name; others don't mind."""
    mine = repositories.ours / "config" / "all.yaml"
    mine.write_text(CONFIG + "# mine\n")
    if staged:
        repositories.git("add", "--all")
    repositories.push({"README": "words"})
    assert repositories.pull().good
    repositories.push({"config/all.yaml": GOOD})
    refused = repositories.pull()
    assert not refused.good
    assert "config/all.yaml" in refused.word
    assert "overwritten" in refused.word
    assert mine.read_text() == CONFIG + "# mine\n"


def test_new_files_of_ones_own_are_never_overwritten(repositories: Repositories) -> None:
    """A file that git does not know yet stops the pull too, whatever `merge.autoStash` says."""
    repositories.git("config", "merge.autoStash", "true")
    (repositories.ours / "config" / "new.yaml").write_text("# mine\n")
    repositories.push({"config/new.yaml": "hours: {}\n"})
    refused = repositories.pull()
    assert (refused.good, "config/new.yaml" in refused.word) == (False, True)
    assert (repositories.ours / "config" / "new.yaml").read_text() == "# mine\n"


def test_a_network_that_is_away_is_told_after_a_while(repositories: Repositories) -> None:
    """A fetch that fails is told to the operators at the third time in a row, and counts anew after a good one."""
    away = repositories.upstream.with_name("away.git")
    words = []
    for there in (False, False, True, False, False, False, False):
        if there:
            away.rename(repositories.upstream)
        elif repositories.upstream.exists():
            repositories.upstream.rename(away)
        done = repositories.pull()
        assert done.good is there
        words.append(bool(done.word))
    assert words == [False, False, False, False, False, True, True]
    assert "cannot be fetched" in done.word


def test_what_follows_nothing_is_refused(repositories: Repositories, tmp_path: Path) -> None:
    """No repository, no branch, no upstream, no config folder there: each is said in one sentence."""
    (tmp_path / "plain").mkdir()
    said = [pull(SameProcess(), tmp_path / "plain", T0, {}).word]
    repositories.git("checkout", "--quiet", "--detach")
    said.append(repositories.pull().word)
    repositories.git("checkout", "--quiet", "-b", "other")
    said.append(repositories.pull().word)
    repositories.git("checkout", "--quiet", "main")
    repositories.git("mv", "config", "konfig", at=repositories.theirs)
    repositories.push({})
    said.append(repositories.pull().word)
    wanted = [
        "no git repository",
        "no branch is checked out",
        "the branch other follows nothing",
        "no folder ours/config",
    ]
    assert [part in word for part, word in zip(wanted, said, strict=True)] == [True] * 4


def test_hooks_and_a_hooks_variables_do_not_count(repositories: Repositories, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hook of the clone is not run, and the variables of one (GIT_DIR) do not lead to another repository."""
    hook = repositories.ours / ".git" / "hooks" / "post-merge"
    hook.write_text("#!/bin/sh\ntouch hooked\n")
    hook.chmod(hook.stat().st_mode | stat.S_IEXEC)
    repositories.push({"config/all.yaml": GOOD})
    monkeypatch.setenv("GIT_DIR", str(repositories.theirs / ".git"))
    assert repositories.pull().lines[0].startswith("pulled 1 commit")
    monkeypatch.delenv("GIT_DIR")
    assert not (repositories.ours / "hooked").exists()


def _ssh(repositories: Repositories, tmp_path: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the upstream be reached by a stand-in for ssh that the user who pulls has chosen."""
    stand_in = tmp_path / "ssh"
    stand_in.write_text(f"#!/bin/sh\n{script}\n")
    stand_in.chmod(0o755)
    config = tmp_path / "gitconfig"
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    repositories.git("config", "--global", "core.sshCommand", str(stand_in))
    repositories.git("remote", "set-url", "origin", "git@git.example.com:team/config.git")


def test_nothing_waits_for_a_person(
    repositories: Repositories, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user's own ssh command is used, and told never to ask; why it failed is said without noise."""
    script = 'echo "$@" > asked; echo "Host key verification failed." >&2; exit 255'
    _ssh(repositories, tmp_path, script, monkeypatch)
    done = repositories.pull()
    assert "-o BatchMode=yes" in next(tmp_path.rglob("asked")).read_text()
    assert "Host key verification failed." in done.lines[0]
    assert len(done.lines) == 1


def test_a_fetch_that_hangs_is_ended(
    repositories: Repositories, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the deadline git and what it started are ended, however stubborn; nothing is left locked."""
    monkeypatch.setattr(command, "FETCH_DEADLINE", 0.5)
    monkeypatch.setattr(command, "ENDS_WITHIN", 0.3)
    _ssh(repositories, tmp_path, "trap '' TERM; echo $$ > pid; while :; do sleep 0.1; done", monkeypatch)
    began = time.monotonic()
    done = repositories.pull()
    assert time.monotonic() - began < 10
    assert "took over 0.5 s" in done.lines[0]
    pid = int(next(tmp_path.rglob("pid")).read_text())
    for _ in range(50):
        if not Path(f"/proc/{pid}").exists():
            break
        time.sleep(0.1)
    assert not Path(f"/proc/{pid}").exists()
    assert not list((repositories.ours / ".git").rglob("*.lock"))


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("fatal: unable to access 'https://bot:s3cret@git.example.com/c.git/': 503\n",
         "fatal: unable to access 'https://git.example.com/c.git/': 503"),
        ("warning: x\nerror: first\nfatal: second\n", "error: first"),
        ("", "git failed without a word"),
    ],
)  # fmt: skip
def test_what_git_says_in_one_line(said: str, told: str) -> None:
    """Its complaint, without passwords."""
    assert command.Done(1, b"", said).complaint == told
