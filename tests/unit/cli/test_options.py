"""What the commands share, without a process for each."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from tocsin.cli import tocsin

from tests.fakes.pager import CONFIG, SETTINGS


@pytest.mark.parametrize("command", [["oncall"], ["status"]])
def test_an_unknown_variable_is_a_warning_beside_check_and_run(tmp_path: Path, command: list[str]) -> None:
    """Rule 43: it is told on stderr, and the command does its work."""
    config = tmp_path / "config"
    config.mkdir()
    (config / "all.yaml").write_text(CONFIG)
    (config / "tocsin.yaml").write_text(SETTINGS)
    done = CliRunner().invoke(tocsin, [*command, "--config", str(config)], env={"TOCSIN_INCIDENT": "x"})
    assert done.exit_code == 0
    assert "TOCSIN_INCIDENT:1:1: warning: unknown variable" in done.stderr
    assert "TOCSIN_INCIDENT" not in done.stdout
