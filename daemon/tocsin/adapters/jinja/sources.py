"""A folder of templates, read once as a whole."""

import os
from pathlib import Path

from tocsin.adapters.files.safe_open import NotRegularError, read_regular
from tocsin.domain.problem import Problem, ProblemLevel
from tocsin.ports.renderer import TemplateFiles

SOURCE_MOST = 64 * 1024
"""The longest template, in bytes."""
FILES_MOST = 500
"""How many templates a folder may hold."""


def shipped_folder() -> Path:
    """Where the shipped templates are: inside the package when installed, beside it in a checkout."""
    package = Path(__file__).resolve().parents[2]
    inside = package / "shipped" / "templates"
    return inside if inside.is_dir() else package.parents[1] / "templates"


def read(folder: Path) -> TemplateFiles:
    """The templates of a folder, and what cannot be read. A folder that is not there is empty."""
    texts: dict[str, str] = {}
    problems: list[Problem] = []
    unread: list[Problem] = []
    files, faults = _listed(folder)
    unread += [_unreadable(folder, f"the templates cannot be listed: {fault.strerror}") for fault in faults]
    if len(files) > FILES_MOST:
        problems.append(_unreadable(folder, f"there are over {FILES_MOST} templates; those after that are left out"))
    for path in files[:FILES_MOST]:
        try:
            text, why = _text(path)
        except OSError as trouble:
            unread.append(_unreadable(path, f"the template cannot be read: {trouble.strerror}"))
            continue
        if why:
            problems.append(_unreadable(path, why))
        else:
            texts[path.relative_to(folder).as_posix()] = text
    return TemplateFiles(folder, texts, tuple(problems), tuple(unread))


def _listed(folder: Path) -> tuple[list[Path], list[OSError]]:
    """The templates of a folder in order, and what could not be listed."""
    faults: list[OSError] = []
    walk = os.walk(folder, onerror=faults.append)
    files = [Path(root, name) for root, inside, names in walk for name in (*inside, *names) if name.endswith(".j2")]
    return sorted(files), [fault for fault in faults if not isinstance(fault, FileNotFoundError | NotADirectoryError)]


def _text(path: Path) -> tuple[str, str]:
    """A file's text, or what is wrong with it. A link to a file will do: mounted folders are made of them. Raises
    OSError when the disk does not give it.
    """
    try:
        data = read_regular(path, SOURCE_MOST + 1, follow=True)
        if len(data) > SOURCE_MOST:
            return "", f"the template is over {SOURCE_MOST // 1024} KiB; shorten it"
        return data.decode("utf-8"), ""
    except NotRegularError:
        return "", "this is no regular file; a template is one"
    except ValueError:
        return "", "the template is not UTF-8; save it so"


def _unreadable(path: Path, fault: str) -> Problem:
    return Problem(str(path), 1, 1, ProblemLevel.ERROR, "template-unreadable", fault)
