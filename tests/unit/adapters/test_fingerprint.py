"""The fingerprint of folders: it changes when a file does, and with nothing else."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tocsin.adapters.files import fingerprint as module
from tocsin.adapters.files.fingerprint import fingerprint


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "config"
    (folder / "teams").mkdir(parents=True)
    for name in ("a.yaml", "teams/b.yaml"):
        (folder / name).write_text("one")
    return folder


def replaced(path: Path) -> None:
    """Another file of the same size and time."""
    status = path.stat()
    other = path.with_name("new")
    other.write_text("two")
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.rename(path)


def rewritten(path: Path, text: str, shift: int) -> None:
    status = path.stat()
    path.write_text(text)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + shift))


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "c.yaml").write_text("x"),
        lambda folder: (folder / "teams" / "b.yaml").unlink(),
        lambda folder: rewritten(folder / "a.yaml", "two", 1),
        lambda folder: rewritten(folder / "a.yaml", "longer", 0),
        lambda folder: replaced(folder / "teams" / "b.yaml"),
        lambda folder: (folder / "a.yaml").rename(folder / "z.yaml"),
    ],
    ids=["new", "removed", "time", "size", "replaced", "renamed"],
)
def test_what_changes_it(folder: Path, change: Callable[[Path], object]) -> None:
    """A new, removed, written, replaced or renamed file, at any depth."""
    before = fingerprint([folder])
    assert fingerprint([folder]) == before
    change(folder)
    assert fingerprint([folder]) != before


def test_what_does_not_change_it(folder: Path) -> None:
    """Hidden names, editors' copies, and what lies behind links to folders; what cannot be read is as if not there."""
    before = fingerprint([folder])
    (folder / ".git").mkdir()
    for name in (".git/x.yaml", ".a.yaml.swp", "a.yaml~"):
        (folder / name).write_text("x")
    (folder.parent / "elsewhere").mkdir()
    (folder.parent / "elsewhere" / "x.yaml").write_text("x")
    (folder / "link").symlink_to("../elsewhere")
    (folder / "gone.yaml").symlink_to("nowhere")
    assert fingerprint([folder]) == before
    assert fingerprint([folder / "nowhere"]) == frozenset()


def test_several_folders(folder: Path) -> None:
    """That of several is the union of theirs."""
    assert fingerprint([folder, folder / "teams"]) == fingerprint([folder])
    assert fingerprint([folder / "teams"]) < fingerprint([folder])


def test_no_more_than_the_limit(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without end costs no more than the limit."""
    monkeypatch.setattr(module, "ENTRIES_MOST", 3)
    for number in range(9):
        (folder / f"{number}.yaml").write_text("x")
    assert len(fingerprint([folder])) == 3
