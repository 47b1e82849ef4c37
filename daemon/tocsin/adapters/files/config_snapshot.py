"""The config folder and the credentials folder, as snapshots in memory: regular files inside the folder, whole and
small enough. It must not know what they mean.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from tocsin.adapters.files.rights import closed, why_not
from tocsin.adapters.files.safe_open import LinkOutsideError, read_inside, read_regular
from tocsin.domain.problem import Problem, ProblemLevel
from tocsin.text.cleaning import shown
from tocsin.text.decoding import CALENDAR_LIMIT, FILE_LIMIT, TOP, displayed_path, problem

WANTED = (".yaml", ".yml", ".ics")
FILES_LIMIT = 2000
"""The most files of one config folder."""
TOTAL_LIMIT = 32 * 1024 * 1024
"""The most bytes of all of them together."""
CREDENTIAL_LIMIT = 64 * 1024
"""The most bytes of a credential."""
UNREADABLE_SECRETS = "unreadable-secrets"
"""The code of a folder of credential files that may not be read: a warning, since most commands need none."""
UNREAD = frozenset({"unreadable-file", "no-such-file"})
"""Codes of what a disk would not give now and may give in a moment (rule 73), unlike what is wrong with a file."""


def snapshot(folder: Path, label: str) -> tuple[dict[str, bytes], list[Problem]]:
    """Every config file by its path relative to the folder (with `/`), and what could not be read. `label` is the
    folder's name in problems. A file over its limit comes one byte too long, for the reader to refuse.
    """
    files: dict[str, bytes] = {}
    problems: list[Problem] = []
    if why := closed(folder):
        return {}, [problem(label, TOP, "unreadable-file", f"the config folder {why}")]
    try:
        there = folder.is_dir()
    except OSError as trouble:
        return {}, [problem(label, TOP, "unreadable-file", f"the config folder {why_not(folder, trouble)}")]
    if not there:
        return {}, [
            problem(label, TOP, "no-such-file", f"there is no config folder {label}; name it with --config DIR")
        ]
    inside, total = Path(os.path.realpath(folder)), 0
    for path in _wanted(folder, label, problems):
        name = path.relative_to(folder).as_posix()
        if len(files) >= FILES_LIMIT:
            problems.append(problem(label, TOP, "too-many-files", f"over {FILES_LIMIT} files; {name} is not read"))
            break
        fault = _add(files, name, path, inside)
        if fault:
            problems.append(problem(displayed_path(label, shown(name)), TOP, *fault))
        total += len(files.get(name, b""))
        if total > TOTAL_LIMIT:
            most = TOTAL_LIMIT // 1024 // 1024
            why = f"all files together are over {most} MiB; what follows {shown(name)} is not read"
            problems.append(problem(label, TOP, "folder-too-large", why))
            break
    return files, problems


def _add(files: dict[str, bytes], name: str, path: Path, inside: Path) -> tuple[str, str] | None:
    """Read one file into the snapshot, or say why not: a code and a sentence."""
    if not name.isprintable():
        return "unprintable-name", "the name holds characters that cannot be shown; rename the file"
    try:
        files[name] = read_inside(path, inside, (CALENDAR_LIMIT if path.suffix == ".ics" else FILE_LIMIT) + 1)
    except LinkOutsideError:
        return "link-outside", "the link leads outside the config folder; put the file itself here"
    except OSError as fault:
        return "unreadable-file", f"the file {why_not(path, fault)}"
    return None


def credentials(folder: str | None) -> tuple[dict[str, str], list[Problem]]:
    """The credential files of ours in a folder (systemd's $CREDENTIALS_DIRECTORY), without their last line end, and
    those that could not be read.
    """
    texts: dict[str, str] = {}
    problems: list[Problem] = []
    if folder and (why := closed(Path(folder))):
        told = f"the folder of credential files {why}; without it every secret counts as missing"
        problems.append(problem(shown(folder), TOP, UNREADABLE_SECRETS, told, ProblemLevel.WARNING))
        return texts, problems
    for path in sorted(Path(folder).glob("tocsin_*")) if folder else ():
        try:
            data = read_regular(path, CREDENTIAL_LIMIT, follow=True)
            texts[path.name] = data.decode().rstrip("\r\n")
        except OSError as fault:
            why = f"the credential file cannot be read: {fault.strerror or fault}"
            problems.append(problem(shown(path.name), TOP, "unreadable-file", why))
        except UnicodeDecodeError:
            problems.append(problem(shown(path.name), TOP, "not-utf8", "the credential file is not UTF-8 text"))
    return texts, problems


def _wanted(folder: Path, label: str, problems: list[Problem]) -> Iterator[Path]:
    """The files that may be config, in a stable order; hidden ones and folders behind links are left alone. A folder
    that cannot be listed is a problem.
    """

    def unlisted(fault: OSError) -> None:
        why = f"the folder {why_not(Path(fault.filename), fault, 'listed')}"
        problems.append(problem(label, TOP, "unreadable-file", f"{shown(str(fault.filename))}: {why}"))

    for root, folders, names in os.walk(folder, onerror=unlisted):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in folders:
            if Path(root, name).is_symlink():
                why = f"{shown(name)} is a link to a folder, which is not followed; put the folder itself here"
                problems.append(problem(label, TOP, "link-to-folder", why))
        for name in sorted(names):
            if name.endswith(WANTED) and not name.startswith("."):
                path = Path(root, name)
                if path.parent != folder / "tests" and (folder / "tests") not in path.parents:
                    yield path
