"""How long people wait for a command, from its call to its exit, beside Python itself."""

import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import yaml

from bench import large_config
from bench.figures import Figure, Found
from bench.processes import end, wait
from bench.rounds import Scale, in_turn
from bench.world import ROOT, TOCSIN, folder
from tests.builders.big_config import write_big_config

POLICY_TESTS = 500
NOTHING, ON_CALL = "python -c pass", "dee"
GIT = ("git", "-c", "user.name=Ana", "-c", "user.email=ana@example.com", "-c", "commit.gpgsign=false")


def seconds(base: Path, *command: str) -> float:
    """Seconds of a command in a folder. Raises CalledProcessError when it fails."""
    began = time.perf_counter()
    subprocess.run(command, cwd=base, check=True, capture_output=True, stdin=subprocess.DEVNULL)
    return time.perf_counter() - began


def commands(scale: Scale) -> Found:
    """Those that people wait for on call, and those that they wait for when they change the config."""
    with folder() as base:
        figures = [*_on_call(base, scale), *_of_the_config(base, scale)]
    return Found(figures)


def _on_call(base: Path, scale: Scale) -> Sequence[Figure]:
    """On the shipped config, with a daemon beside and some incidents open; each `ack` takes another one."""
    here = base / "shipped"
    for name in ("config", "templates"):
        shutil.copytree(ROOT / name, here / name)
    (here / "incidents").mkdir()
    for number in range(scale.rounds):
        text = f"title: Card payments fail, {number}\nseverity: sev1\n"
        (here / "incidents" / f"i{number}.yaml").write_text(text)
    log = here / "log"
    with log.open("wb") as errors:
        daemon = subprocess.Popen([TOCSIN, "run"], cwd=here, stderr=errors, stdin=subprocess.DEVNULL)
    try:
        wait(lambda: log.read_text().count(f'"to": "{ON_CALL}", "via": "email"') >= scale.rounds, 60)
        names = iter(range(scale.rounds))
        bare, ack, status, check = in_turn(
            scale.rounds,
            lambda: seconds(here, sys.executable, "-c", "pass"),
            lambda: seconds(here, str(TOCSIN), "ack", f"i{next(names)}", "--as", ON_CALL),
            lambda: seconds(here, str(TOCSIN), "status"),
            lambda: seconds(here, str(TOCSIN), "check"),
        )
    finally:
        end(daemon)
    return [Figure(name, taken, NOTHING, bare) for name, taken in (("ack", ack), ("status", status), ("check", check))]


def _of_the_config(base: Path, scale: Scale) -> Sequence[Figure]:
    """A large config checked, many policy tests played, and one line of a config compared with what it was."""
    large, tests, changed = base / "large", base / "tests", base / "changed"
    large_config.write(large / "config")
    for name in ("config", "templates"):
        shutil.copytree(ROOT / name, tests / name)
    _multiply(tests / "config" / "tests", scale.of(POLICY_TESTS, 50))
    _change_a_line(changed)
    check, test, diff = in_turn(
        scale.rounds,
        lambda: seconds(large, str(TOCSIN), "check"),
        lambda: seconds(tests, str(TOCSIN), "test"),
        lambda: seconds(changed, str(TOCSIN), "diff", "HEAD"),
    )
    return [Figure("check-large", check), Figure("test", test), Figure("diff", diff)]


def _multiply(folder: Path, count: int) -> None:
    """Make many policy tests of the shipped ones: each again under other names, until there are enough."""
    shipped = [test for path in sorted(folder.glob("*.yaml")) for test in _tests(path)]
    many = [{**shipped[number % len(shipped)], "name": f"test {number}"} for number in range(count)]
    for path in folder.glob("*.yaml"):
        path.unlink()
    for first in range(0, count, len(shipped)):
        text = yaml.dump(many[first : first + len(shipped)], Dumper=yaml.CSafeDumper, sort_keys=False)
        (folder / f"tests{first:04}.yaml").write_text(text)


def _tests(path: Path) -> list[dict[str, object]]:
    """As they stand there: every scalar is text."""
    found = yaml.load(path.read_bytes(), yaml.BaseLoader)
    return found if isinstance(found, list) else [found]


def _change_a_line(folder: Path) -> None:
    """A repository whose config differs from what was committed by how long one severity waits for somebody."""
    write_big_config(folder / "config")
    for given in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "the config"]):
        subprocess.run([*GIT, *given], cwd=folder, check=True, capture_output=True)
    path = folder / "config" / "severities.yaml"
    path.write_text(path.read_text().replace("acknowledge_within: 5m", "acknowledge_within: 6m"))
