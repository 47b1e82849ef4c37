"""New files in a folder, all of them or none, and nothing written over; and the starter's texts, as the package carries
them.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from tocsin.text.cleaning import shown

HIDDEN = "dot-"
"""Begins the carried name of a file whose own name begins with a dot."""


class NewFilesError(Exception):
    """The files could not be written, and none is there; the text says why."""


def starter_texts() -> dict[str, str]:
    """The texts of the starter with their blanks, by path in the new folder."""
    carried = Path(__file__).resolve().parents[2] / "starter"
    return {
        "/".join(part.replace(HIDDEN, ".", 1) if part.startswith(HIDDEN) else part for part in path.parts): (
            carried / path
        ).read_text(encoding="utf-8")
        for path in sorted(file.relative_to(carried) for file in carried.rglob("*") if file.is_file())
    }


def in_the_way(folder: Path, names: Iterable[str]) -> list[str]:
    """Which of these are there already, in whatever form; and files that stand where a folder is needed."""
    obstacles = set()
    for name in map(PurePosixPath, names):
        obstacles |= {
            str(above) for above in name.parents if os.path.lexists(folder / above) and not (folder / above).is_dir()
        }
        if os.path.lexists(folder / name):
            obstacles.add(str(name))
    return sorted(obstacles)


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write new files. Raises NewFilesError when one is there already or cannot be written; then none remains."""
    made: list[Path] = []
    try:
        for name, data in files.items():
            path = folder / name
            _make(path.parent, made)
            with path.open("xb") as file:
                made.append(path)
                file.write(data)
    except OSError as fault:
        raise NewFilesError(f"{shown(str(fault.filename or folder))}: {fault.strerror or fault}") from None
    else:
        made.clear()
    finally:
        for path in reversed(made):
            path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)


def _make(folder: Path, made: list[Path]) -> None:
    """Make a folder and those above it, and note which are new."""
    if not folder.is_dir():
        _make(folder.parent, made)
        folder.mkdir()
        made.append(folder)
