"""The config folder and the credentials folder, as snapshots in memory.

Decides which files are opened: regular ones inside the folder, whole and small enough. Must not know what they mean.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from daemon.documents.source import FILE_LIMIT, TOP, problem
from daemon.domain.problem import Problem

WANTED = (".yaml", ".yml", ".ics")
FILES_LIMIT = 2000
"""The most files of one config folder."""
CALENDAR_LIMIT = 4 * 1024 * 1024
"""The most bytes of a calendar."""
CREDENTIAL_LIMIT = 64 * 1024
"""The most bytes of a credential."""


def snapshot(folder: Path, label: str) -> tuple[dict[str, bytes], list[Problem]]:
    """Every config file by its path relative to the folder (with `/`), and what could not be read. `label` is the
    folder's name in problems. A file over its limit comes one byte too long, for the reader to refuse.
    """
    files: dict[str, bytes] = {}
    problems: list[Problem] = []
    if not folder.is_dir():
        return {}, [
            problem(label, TOP, "no-such-file", f"there is no config folder {label}; name it with --config DIR")
        ]
    inside = folder.resolve()
    for path in _wanted(folder):
        name = path.relative_to(folder).as_posix()
        if len(files) >= FILES_LIMIT:
            problems.append(problem(label, TOP, "too-many-files", f"over {FILES_LIMIT} files; {name} is not read"))
            break
        try:
            if not path.resolve(strict=True).is_relative_to(inside):
                found = "the link leads outside the config folder; put the file itself here"
                problems.append(problem(f"{label}/{name}", TOP, "link-outside", found))
                continue
            limit = CALENDAR_LIMIT if path.suffix == ".ics" else FILE_LIMIT
            files[name] = _read(path.resolve(), limit + 1)
        except OSError as fault:
            found = f"the file cannot be read: {fault.strerror or fault}"
            problems.append(problem(f"{label}/{name}", TOP, "unreadable-file", found))
    return files, problems


def credentials(folder: str | None) -> dict[str, str]:
    """The credential files of ours in a folder (systemd's $CREDENTIALS_DIRECTORY), without their last line end."""
    found: dict[str, str] = {}
    if folder:
        for path in sorted(Path(folder).glob("tocsin_*")):
            try:
                found[path.name] = _read(path.resolve(), CREDENTIAL_LIMIT).decode(errors="replace").rstrip("\r\n")
            except OSError:
                continue
    return found


def _wanted(folder: Path) -> Iterator[Path]:
    """The files that may be config, in a stable order; hidden ones and folders behind links are left alone."""
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        for name in sorted(names):
            if name.endswith(WANTED) and not name.startswith("."):
                path = Path(root, name)
                if path.parent != folder / "tests" and (folder / "tests") not in path.parents:
                    yield path


def _read(path: Path, limit: int) -> bytes:
    """The first `limit` bytes of a regular file. It never waits: a FIFO is refused, not read."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(0, "it is no regular file")
        return file.read(limit)
