"""What the commands share, without a process for each."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner
from tocsin.cli import COMMANDS, tocsin

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


@pytest.mark.parametrize("command", [["oncall"], ["status"], ["check"], ["declare", "x", "--severity", "sev1"]])
def test_a_config_folder_that_may_not_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    """It is no wrong usage: one line says whose it is, and the exit status is 1."""
    (tmp_path / "config").mkdir()
    monkeypatch.setattr(os, "access", lambda path, _mode: Path(path) != tmp_path / "config")
    done = CliRunner().invoke(tocsin, [*command, "--config", str(tmp_path / "config")])
    assert done.exit_code == 1
    assert "cannot be read by" in done.stderr + done.stdout
    assert "Usage" not in done.stderr


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_fits_a_terminal(command: str) -> None:
    """80 columns, the examples too: what a terminal breaks cannot be copied."""
    done = CliRunner().invoke(tocsin, [command, "--help"] if command else ["--help"], terminal_width=80)
    assert done.exit_code == 0
    assert [line for line in done.stdout.splitlines() if len(line) > 80] == []
