"""Where commands find the config: --config, $TOCSIN_CONFIG, ./config with a tocsin.yaml in it, /etc/tocsin."""

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
