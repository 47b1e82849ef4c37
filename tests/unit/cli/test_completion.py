"""What a shell is offered: by click's own protocol, and in a real bash."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.ready_commands import run_ready

ROOT = Path(__file__).parents[3]
TOCSIN = Path(sys.executable).with_name("tocsin")
OPEN, NEWER, OVER = "2026-11-23-card-payments-fail", "2026-11-23-search-is-slow", "2026-11-20-old-news"


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """The shipped config, and three incidents."""
    shutil.copytree(ROOT / "config", tmp_path / "config")
    (tmp_path / "incidents").mkdir()
    for number, (id_, text) in enumerate(
        (
            (OPEN, "title: 'Card: payments fail'\nseverity: sev1\n"),
            (NEWER, "title: Search is slow\nseverity: sev3\n"),
            (OVER, "title: Old news\nseverity: sev2\nstatus: Resolved\n"),
        )
    ):
        file = tmp_path / "incidents" / f"{id_}.yaml"
        file.write_text(text)
        os.utime(file, (number, number))
    return tmp_path


def asking(line: str, shell: str = "bash", **environ: str) -> dict[str, str]:
    """What a shell asks for the last word of a line, as an environment."""
    words = line.split(" ")
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TOCSIN_")}
    asked = {"_TOCSIN_COMPLETE": f"{shell}_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    if shell == "fish":
        asked["COMP_CWORD"] = words[-1]
    return clean | asked | environ


def offered(here: Path, line: str, shell: str = "bash", **environ: str) -> list[str]:
    """What is offered for the last word of a line; nothing may be said on stderr."""
    done = run_ready([], here, asking(line, shell, **environ))
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split("\n")[:-1]


def plain(here: Path, line: str, **environ: str) -> list[str]:
    """The names that bash is offered."""
    return [item.removeprefix("plain,") for item in offered(here, line, **environ) if item]


def test_ids_come_with_titles_what_is_open_first(here: Path) -> None:
    """The newest first, then what is over; zsh and fish show the titles, in which a colon harms nothing."""
    assert plain(here, "tocsin ack 2026") == [NEWER, OPEN, OVER]
    assert plain(here, "tocsin explain 2026-11-23-c") == [OPEN]
    assert plain(here, "tocsin resolve 2026") == [NEWER, OPEN]
    titles = {NEWER: "SEV3 Search is slow", OPEN: "SEV1 Card: payments fail", OVER: "SEV2 Old news (resolved)"}
    assert offered(here, "tocsin ack ", "fish") == [f"plain,{id_}\t{title}" for id_, title in titles.items()]
    zsh = [part for id_, title in titles.items() for part in ("plain", id_, title)]
    assert offered(here, "tocsin ack ", "zsh") == zsh


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("tocsin ac", ["ack"]),
        ("tocsin ack x --a", ["--as", "--anyway"]),
        ("tocsin ack x --as a", ["ana"]),
        ("tocsin ack x --as A", ["ana"]),
        ("tocsin update x text --by ch", ["chen"]),
        ("tocsin update x text --status i", ["investigating", "identified"]),
        ("tocsin assign x inc", ["incident_commander"]),
        ("tocsin assign x scribe d", ["dee"]),
        ("tocsin declare title --severity s", ["sev1", "sev2", "sev3", "sev4"]),
        ("tocsin declare title --service ch", ["checkout"]),
        ("tocsin drill sev2 --service=ch", ["checkout"]),
        ("tocsin oncall --rotation c", ["commanders"]),
        ("tocsin send-test f", ["fay"]),
        ("tocsin ack nothing-begins-so", []),
    ],
)
def test_names_of_the_config(here: Path, line: str, names: list[str]) -> None:
    """Commands, options, people, roles, severities, services, rotations, statuses."""
    assert plain(here, line) == names


def test_the_config_that_is_named_counts(here: Path, tmp_path: Path) -> None:
    """--config on the line, $TOCSIN_CONFIG, and $TOCSIN_INCIDENTS."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    config = str(here / "config")
    assert plain(elsewhere, "tocsin ack x --as an") == []
    assert plain(elsewhere, f"tocsin ack --config {config} x --as an") == ["ana"]
    assert plain(elsewhere, "tocsin ack x --as an", TOCSIN_CONFIG=config) == ["ana"]
    (elsewhere / "one.yaml").write_text("title: x\n")
    assert plain(elsewhere, "tocsin ack o", TOCSIN_CONFIG=config, TOCSIN_INCIDENTS=str(elsewhere)) == ["one"]


def test_what_is_broken_is_passed_over_without_a_word(here: Path) -> None:
    """Half a config, a file that is none, a folder that may not be read or is none: what can be read is offered."""
    (here / "config" / "people.yaml").write_text('people:\n  ana: {name: Ana}\n  "a b": {}\n  bad: [\n')
    (here / "config" / "tocsin.yaml").write_bytes(b"incidents: ../incidents\n\xff\xfe: [")
    (here / "incidents" / "half.yaml").write_bytes(b"\x00\xff[")
    (here / "incidents" / "pipe.yaml").mkdir()
    assert plain(here, "tocsin ack x --as a") == ["ana"]
    assert {"half", OPEN} <= set(plain(here, "tocsin ack "))
    assert plain(here, "tocsin ack ", TOCSIN_INCIDENTS="/proc/nothing") == []
    assert plain(here, "tocsin ack ", TOCSIN_CONFIG=str(here / "incidents" / "half.yaml")) == []
    assert plain(here, "tocsin simulate /nowhere/nothing --at x ", TOCSIN_AS="nobody") == []


def test_a_folder_of_years_is_quick(here: Path) -> None:
    """Half a second is what somebody who types waits for; a machine under load may need more, so that here it is the
    processor's time that counts, and the command does not give up by the clock.
    """
    patient = "from tocsin.cli import completion, main; completion.WITHIN = 30; main()"
    for number in range(3000):
        (here / "incidents" / f"2020-01-01-{number:04}.yaml").write_text(f"title: Number {number}\nstatus: resolved\n")
    began = os.times().children_user + os.times().children_system
    command = [sys.executable, "-c", patient]
    environ = asking("tocsin ack 2026")
    done = subprocess.run(command, cwd=here, env=environ, capture_output=True, text=True, timeout=60, check=True)
    spent = os.times().children_user + os.times().children_system - began
    assert done.stdout.split("\n")[:2] == [f"plain,{NEWER}", f"plain,{OPEN}"]
    assert spent < 0.5
    more = subprocess.run(command, cwd=here, env=asking("tocsin ack "), capture_output=True, text=True, check=True)
    assert len(more.stdout.splitlines()) > 100


BASH = shutil.which("bash")


@pytest.mark.skipif(BASH is None, reason="no bash here")
def test_a_real_bash_completes(here: Path) -> None:
    """The documented line, and then what bash itself would put on the line."""
    assert BASH is not None
    script = """
    eval "$(_TOCSIN_COMPLETE=bash_source tocsin)"
    try() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _tocsin_completion tocsin; echo "${COMPREPLY[@]}"; }
    complete -p tocsin
    try tocsin ack 2026-11-23
    try tocsin ack 2026-11-23-card-payments-fail --as ch
    try tocsin ack nothing-begins-so
    """
    path = f"{TOCSIN.parent}:{os.environ['PATH']}"
    done = subprocess.run(
        [BASH, "--norc", "-c", script],
        cwd=here,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""
    registered, *answers = done.stdout.split("\n")
    assert registered.endswith("-F _tocsin_completion tocsin")
    assert answers == [f"{NEWER} {OPEN}", "chen", "", ""]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_line_to_install_prints_that_shells_script(here: Path, shell: str) -> None:
    """And where the shell is installed, it finds no fault with it."""
    script = "\n".join(offered(here, "", f"{shell}_source"[: len(shell)], _TOCSIN_COMPLETE=f"{shell}_source"))
    assert f"_TOCSIN_COMPLETE={shell}_complete" in script
    if found := shutil.which(shell):
        done = subprocess.run([found, "-n", "-c", script], capture_output=True, text=True, timeout=30, check=False)
        assert (done.returncode, done.stderr) == (0, "")
