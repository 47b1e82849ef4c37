"""A folder of templates and of the languages' catalogues beside them, read once as a whole."""

import errno
import os
from collections.abc import Mapping
from pathlib import Path

from tocsin.adapters.files.safe_open import LinkOutsideError, NotRegularError, read_inside
from tocsin.domain.problem import Problem, ProblemLevel
from tocsin.ports.renderer import TemplateFiles
from tocsin.text.cleaning import shown
from tocsin.wording.language.languages import CATALOGUE

SOURCE_MOST = 64 * 1024
"""The longest template, in bytes."""
CATALOGUE_MOST = 256 * 1024
"""The longest catalogue of a language."""
FILES_MOST = 500
"""How many templates a folder may hold."""
TOTAL_MOST = 1024 * 1024
"""The most bytes of all templates of a folder together."""
LOOKED_MOST = 20_000
"""How many names are looked at, in a folder and all below it."""
TOO_MUCH = f"all templates together are over {TOTAL_MOST // 1024} KiB; shorten them"
UNPRINTABLE = "the name holds characters that cannot be shown; rename the file"
LINK_OUTSIDE = "the link leads outside the folder of the templates; put the file itself here"


def shipped_folder() -> Path:
    """Where the shipped templates are: inside the package when installed, beside it in a checkout."""
    package = Path(__file__).resolve().parents[2]
    inside = package / "shipped" / "templates"
    return inside if inside.is_dir() else package.parents[1] / "templates"


def is_template(path: str) -> bool:
    """Whether a file of the folder is a template, or a catalogue."""
    return path.endswith(".j2") or is_catalogue(path)


def is_catalogue(path: str) -> bool:
    """Whether it is a language's catalogue of sentences."""
    return path.rpartition("/")[2] == CATALOGUE


def longest(path: str) -> int:
    """How many bytes such a file may have."""
    return CATALOGUE_MOST if is_catalogue(path) else SOURCE_MOST


def read(folder: Path) -> TemplateFiles:
    """The templates of a folder, and what cannot be read. A folder that is not there is empty."""
    texts: dict[str, str] = {}
    problems: list[Problem] = []
    unread: list[Problem] = []
    inside = Path(os.path.realpath(folder))
    files, faults = _listed(folder)
    unread += [_unreadable(folder, f"the templates cannot be listed: {fault.strerror}") for fault in faults]
    if len(files) > FILES_MOST:
        problems.append(_unreadable(folder, f"there are over {FILES_MOST} templates; those after that are left out"))
    for path in files[:FILES_MOST]:
        name = path.relative_to(folder).as_posix()
        if not name.isprintable():
            problems.append(_unreadable(path, UNPRINTABLE, "unprintable-name"))
            continue
        try:
            text, why = _text(path, inside)
        except OSError as trouble:
            unread.append(_unreadable(path, f"the template cannot be read: {trouble.strerror}"))
            continue
        if not why and sum(map(len, texts.values())) + len(text) > TOTAL_MOST:
            why = TOO_MUCH
        if why:
            problems.append(_unreadable(path, why, "link-outside" if why == LINK_OUTSIDE else "template-unreadable"))
        else:
            texts[name] = text
    return TemplateFiles(folder, texts, tuple(problems), tuple(unread))


def of_revision(folder: Path, files: Mapping[str, bytes], troubles: Mapping[str, str]) -> TemplateFiles:
    """The same of a folder as it was in a revision, and what of it could not be read, each with why."""
    problems = [_unreadable(folder / path, f"the template {why}") for path, why in troubles.items()]
    texts: dict[str, str] = {}
    for path, data in files.items():
        text, why = _decoded(data, longest(path))
        if not path.isprintable():
            why = UNPRINTABLE
        if not why and sum(map(len, texts.values())) + len(text) > TOTAL_MOST:
            why = TOO_MUCH
        if why:
            code = "unprintable-name" if why == UNPRINTABLE else "template-unreadable"
            problems.append(_unreadable(folder / path, why, code))
        else:
            texts[path] = text
    return TemplateFiles(folder, texts, tuple(problems))


def _listed(folder: Path) -> tuple[list[Path], list[OSError]]:
    """The templates of a folder in order, and what could not be listed. Hidden folders are left alone, as the config's:
    mounted folders keep what their links lead to there. A folder behind a link is not looked into, so that a link to
    one is listed as if it were a template, and refused as none.
    """
    faults: list[OSError] = []
    files: list[Path] = []
    looked = 0
    for root, folders, names in os.walk(folder, onerror=faults.append):
        folders[:] = [name for name in folders if not name.startswith(".")]
        files += [Path(root, name) for name in (*folders, *names) if is_template(name)]
        looked += len(folders) + len(names)
        if looked > LOOKED_MOST:
            faults.append(OSError(errno.EFBIG, f"it holds over {LOOKED_MOST:,} names"))
            break
    return sorted(files), [fault for fault in faults if not isinstance(fault, FileNotFoundError | NotADirectoryError)]


def _text(path: Path, inside: Path) -> tuple[str, str]:
    """A file's text, or what is wrong with it. A link to a file in the folder will do. Raises OSError when the disk
    does not give it.
    """
    try:
        most = longest(path.name)
        return _decoded(read_inside(path, inside, most + 1), most)
    except LinkOutsideError:
        return "", LINK_OUTSIDE
    except NotRegularError:
        return "", "this is no regular file; a template is one"


def _decoded(data: bytes, most: int) -> tuple[str, str]:
    """A template's text, or what is wrong with it."""
    if len(data) > most:
        return "", f"the template is over {most // 1024} KiB; shorten it"
    try:
        return data.decode("utf-8-sig"), ""
    except ValueError:
        return "", "the template is not UTF-8; save it so"


def _unreadable(path: Path, fault: str, code: str = "template-unreadable") -> Problem:
    return Problem(shown(str(path)), 1, 1, ProblemLevel.ERROR, code, fault)
