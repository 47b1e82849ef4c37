"""Where commands find the config: --config, $TOCSIN_CONFIG, ./config with a tocsin.yaml in it, /etc/tocsin."""

import os
from pathlib import Path

import pytest
from tocsin.cli import options
from tocsin.cli.options import folder_of


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed system, seen from an empty folder."""
    installed = tmp_path / "etc"
    installed.mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.delenv("TOCSIN_CONFIG", raising=False)
    monkeypatch.setattr(options, "INSTALLED", installed)
    return installed


def test_the_nearest_config_counts(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """P3: what is named wins; a folder that happens to be called config, without a tocsin.yaml, is none."""
    assert folder_of(None) == installed
    Path("config").mkdir()
    assert folder_of(None) == installed
    Path("config", "tocsin.yaml").write_text("")
    assert folder_of(None) == Path("config")
    monkeypatch.setenv("TOCSIN_CONFIG", "elsewhere")
    assert folder_of(None) == Path("elsewhere")
    assert folder_of(Path("given")) == Path("given")


def test_without_any_config_the_nearest_is_missed(installed: Path) -> None:
    """Where nothing is installed, ./config is what people are told about."""
    installed.rmdir()
    assert folder_of(None) == Path("config")


def test_a_config_that_is_passed_over_is_told(
    installed: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever may not look into ./config learns that another config counts: they would write into another folder."""
    Path("config").mkdir()
    assert folder_of(None) == installed
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(os, "access", lambda path, _mode: Path(path) != Path("config").absolute())
    assert folder_of(None) == installed
    told = capsys.readouterr().err
    assert told.startswith("config cannot be read by ")
    assert told.endswith(f"; {installed} is used instead\n")
