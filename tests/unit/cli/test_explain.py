"""`tocsin explain`: what is wrong usage, without a process for each."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from tocsin.cli import tocsin

from tests.fakes.pager import CONFIG, SETTINGS


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["pay", "--at", "2199-01-01T00:00Z"], 2, "--at lies ahead"),
        (["pay", "--at", "2h"], 0, "--at 2h is "),
        (["pay", "--timezone", "Berlin"], 2, 'unknown timezone "Berlin"; did you mean "Europe/Berlin"?'),
        (["pay", "--person", "annna"], 1, 'unknown person "annna"; did you mean "ana"?'),
        (["pau"], 1, 'there is no incident "pau"; did you mean "pay"?'),
        (["pay.yaml"], 0, ""),
        (["pay", "--person", "Ana Souza"], 0, ""),
        (["pay", "--person", "ANA@example.com"], 0, ""),
        (["pay", "--person", "Support@Example.com"], 0, ""),
        (["pay", "--person", "nobody@example.com"], 1, 'unknown person "nobody@example.com"'),
    ],
)
def test_what_cannot_be_explained_is_told_in_a_line(
    tmp_path: Path, arguments: list[str], status: int, said: str
) -> None:
    """A moment ahead or an unknown zone is wrong usage; an unknown person or incident is told with what may be meant."""
    for folder in ("config", "incidents"):
        (tmp_path / folder).mkdir()
    (tmp_path / "config" / "all.yaml").write_text(CONFIG)
    (tmp_path / "config" / "tocsin.yaml").write_text(SETTINGS)
    (tmp_path / "incidents" / "pay.yaml").write_text("title: Payments fail\nseverity: sev1\n")
    done = CliRunner().invoke(tocsin, ["explain", *arguments, "--config", str(tmp_path / "config")])
    assert done.exit_code == status, done.output
    assert said in done.stderr
    assert (done.stdout == "") == bool(status)
