"""The installed `tocsin diff` in a real repository, as a merge request's job calls it."""

import json
import subprocess
from pathlib import Path

from tests.fakes.pager import Pager


def test_a_merge_request(tmp_path: Path) -> None:
    """A swapped chain on a branch: JSON alone on stdout, exit 0; a revision that is not there: one line, exit 1."""
    pager = Pager(tmp_path)

    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=Ana", "-c", "user.email=ana@example.com"]
        subprocess.run(["git", *identity, *arguments], cwd=tmp_path, check=True, capture_output=True)

    git("init", "-q", "-b", "main")
    git("add", "-A")
    git("commit", "-q", "-m", "as it was")
    git("switch", "-q", "-c", "swap")
    file = tmp_path / "config" / "all.yaml"
    file.write_text(file.read_text().replace("chain: [ana, bo]", "chain: [bo, ana]"))
    git("commit", "-q", "-a", "-m", "bo first")
    file.write_text("not: [yaml")
    found = pager.run("diff", "main", "swap", "--format", "json")
    assert (found.returncode, found.stderr) == (0, "")
    told = json.loads(found.stdout)
    assert (told["from"], told["to"]) == ("main", "swap")
    assert told["changes"][0] == {
        "situation": "sev1, no service, noon",
        "change": "later",
        "to": "ana",
        "via": "email",
        "before": 0,
        "after": 300,
        "file": "config/all.yaml",
        "line": 7,
    }
    wrong = pager.run("diff", "trunk")
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert wrong.stderr.splitlines()[0] == 'there is no revision "trunk"'
