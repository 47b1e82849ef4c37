"""The config folder and the credentials folder as snapshots: what is read, what is left alone, and what is told."""

import os
from pathlib import Path

import pytest
from tocsin.adapters.files import config_snapshot
from tocsin.adapters.files.config_snapshot import CREDENTIAL_LIMIT, credentials, snapshot
from tocsin.text.decoding import CALENDAR_LIMIT, FILE_LIMIT


def write(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)


def test_what_is_config(tmp_path: Path) -> None:
    """YAML and calendars at any depth; not what is hidden, not the policy tests, not other files."""
    write(tmp_path, "b.yaml", "a.yml", "c.ics", "teams/x/d.yaml", "teams/tests/e.yaml")
    write(tmp_path, ".f.yaml", ".git/g.yaml", "tests/h.yaml", "tests/deep/i.yaml", "j.txt", "k.yaml~", "yaml")
    files, problems = snapshot(tmp_path, "config")
    assert list(files) == ["a.yml", "b.yaml", "c.ics", "teams/tests/e.yaml", "teams/x/d.yaml"]
    assert files["teams/x/d.yaml"] == b"teams/x/d.yaml"
    assert problems == []


def test_too_large_files_come_a_byte_too_long(tmp_path: Path) -> None:
    """A reader can tell that there was more; calendars may be larger than YAML."""
    for name, size in (("a.yaml", FILE_LIMIT), ("b.yaml", FILE_LIMIT + 9), ("c.ics", CALENDAR_LIMIT + 9)):
        (tmp_path / name).write_bytes(b"x" * size)
    files, _ = snapshot(tmp_path, "config")
    assert [len(data) for data in files.values()] == [FILE_LIMIT, FILE_LIMIT + 1, CALENDAR_LIMIT + 1]


def test_too_many_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the limit on nothing more is read, and the first that was left out is named."""
    monkeypatch.setattr(config_snapshot, "FILES_LIMIT", 2)
    write(tmp_path, "a.yaml", "b.yaml", "c.yaml", "d.yaml")
    files, problems = snapshot(tmp_path, "config")
    assert list(files) == ["a.yaml", "b.yaml"]
    assert [(problem.code, "c.yaml" in problem.message) for problem in problems] == [("too-many-files", True)]


def test_too_much_in_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of thousands of large calendars is not taken into memory; where it stops is named."""
    monkeypatch.setattr(config_snapshot, "TOTAL_LIMIT", 10)
    write(tmp_path, "a.yaml", "b.yaml", "c.yaml")
    files, problems = snapshot(tmp_path, "config")
    assert list(files) == ["a.yaml", "b.yaml"]
    assert [(problem.code, "b.yaml" in problem.message) for problem in problems] == [("folder-too-large", True)]


def test_links_and_strange_things(tmp_path: Path) -> None:
    """A link inside the folder is the file it leads to; others, FIFOs and names that cannot be shown are problems, each
    at its own path.
    """
    folder = tmp_path / "config"
    write(folder, "real/a.yaml")
    (tmp_path / "secret.yaml").write_text("secret")
    (folder / "b.yaml").symlink_to("real/a.yaml")
    (folder / "out.yaml").symlink_to("../secret.yaml")
    (folder / "gone.yaml").symlink_to("nowhere.yaml")
    (folder / "more").symlink_to("real")
    os.mkfifo(folder / "pipe.yaml")
    (folder / "odd\n.yaml").write_text("x")
    files, problems = snapshot(folder, "config")
    assert files == {"b.yaml": b"real/a.yaml", "real/a.yaml": b"real/a.yaml"}
    assert sorted((problem.code, problem.file) for problem in problems) == [
        ("link-outside", "config/out.yaml"),
        ("link-to-folder", "config"),
        ("unprintable-name", r"config/odd\n.yaml"),
        ("unreadable-file", "config/gone.yaml"),
        ("unreadable-file", "config/pipe.yaml"),
    ]


def test_no_folder(tmp_path: Path) -> None:
    """One problem, which says what to do."""
    files, (problem,) = snapshot(tmp_path / "nowhere", "config")
    assert files == {}
    assert (problem.file, problem.code) == ("config", "no-such-file")
    assert "--config DIR" in problem.message


def test_credentials(tmp_path: Path) -> None:
    """Ours only, without their last line end; links lead to them, as systemd and containers have it."""
    (tmp_path / "tocsin_email__password").write_bytes(b" pass word \r\n")
    (tmp_path / "data").write_text("token\n\n")
    (tmp_path / "tocsin_web__token").symlink_to("data")
    (tmp_path / "other").write_text("x")
    texts, problems = credentials(str(tmp_path))
    assert texts == {"tocsin_email__password": " pass word ", "tocsin_web__token": "token"}
    assert problems == []
    assert credentials(None) == ({}, [])
    assert credentials(str(tmp_path / "nowhere")) == ({}, [])


def test_credentials_that_cannot_be_read(tmp_path: Path) -> None:
    """A FIFO, a link to nowhere and what is no text are problems by their names, and hide no other credential."""
    os.mkfifo(tmp_path / "tocsin_a")
    (tmp_path / "tocsin_b").symlink_to("nowhere")
    (tmp_path / "tocsin_c").write_bytes(b"\xff")
    (tmp_path / "tocsin_d").write_bytes(b"x" * (CREDENTIAL_LIMIT + 1))
    texts, problems = credentials(str(tmp_path))
    assert {name: len(text) for name, text in texts.items()} == {"tocsin_d": CREDENTIAL_LIMIT}
    assert [(problem.file, problem.code) for problem in problems] == [
        ("tocsin_a", "unreadable-file"),
        ("tocsin_b", "unreadable-file"),
        ("tocsin_c", "not-utf8"),
    ]


def test_a_folder_of_credentials_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told, as a warning: else each secret would only seem to be missing."""
    monkeypatch.setattr(os, "access", lambda path, _mode: Path(path) != tmp_path)
    texts, (problem,) = credentials(str(tmp_path))
    assert (texts, problem.level.value, problem.code) == ({}, "warning", "unreadable-secrets")
    assert problem.message.startswith("the folder of credential files cannot be read by ")
