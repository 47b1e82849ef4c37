"""A new config in a folder of its own, from a few answers: whole or not at all (`tocsin init`).

Decides which files there are, and that they are good before one is written.
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from tocsin import __version__
from tocsin.adapters.files import config_snapshot, new_files
from tocsin.adapters.files.rights import is_folder
from tocsin.app.configuration import editor_schemas
from tocsin.app.configuration.read_tree import SERVER_STATE, read_tree
from tocsin.app.configuration.starter import starter_texts
from tocsin.domain.problem import Problem

CONFIG = "config/"
BESIDE = {name: f"../{name}" for name in ("incidents", "templates", "reviews")} | {"state": "../var"}
"""Where things are in a folder of one's own."""
STATE = str(SERVER_STATE)
ON_A_SERVER = {
    "incidents": f"{STATE}/incidents",
    "templates": "templates",
    "reviews": f"{STATE}/reviews",
    "state": STATE,
}
"""Where they are on a server, as packaging/tmpfiles.d makes them."""


class FilesInTheWayError(Exception):
    """Files that are there already; nothing was written."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(", ".join(names))
        self.names = names


def draft(answers: starter_texts.StarterAnswers, at: datetime, places: Mapping[str, str] = BESIDE) -> dict[str, bytes]:
    """Every file of the new folder, by path; `at` (UTC) is now. `places` are the paths that tocsin.yaml names."""
    values = {**starter_texts.blanks(answers, at), **places, "version": __version__}
    texts = {name: starter_texts.filled(text, values) for name, text in new_files.starter_texts().items()}
    schemas = {f"{CONFIG}{editor_schemas.FOLDER}/{name}.json": made() for name, made in editor_schemas.SCHEMAS.items()}
    return {name: text.encode() for name, text in sorted((texts | schemas).items())}


def begin(folder: Path, answers: starter_texts.StarterAnswers, at: datetime) -> tuple[list[str], tuple[Problem, ...]]:
    """Write the new config; gives the paths of its files, and what `tocsin check` would say of it. With an error among
    that nothing is written. Raises FilesInTheWayError, or NewFilesError.
    """
    return _begin(folder, draft(answers, at), CONFIG, at)


def begin_server(
    folder: Path, answers: starter_texts.StarterAnswers, at: datetime
) -> tuple[list[str], tuple[Problem, ...]]:
    """The same for a server: the folder is the config folder itself, and its tocsin.yaml names absolute paths."""
    files = draft(answers, at, ON_A_SERVER)
    inside = {name.removeprefix(CONFIG): data for name, data in files.items() if name.startswith(CONFIG)}
    return _begin(folder, inside, "", at)


def _begin(
    folder: Path, files: Mapping[str, bytes], config: str, at: datetime
) -> tuple[list[str], tuple[Problem, ...]]:
    """Write files into a folder, the config's below `config`, if `tocsin check` finds no error in them."""
    blocked = new_files.in_the_way(folder, files)
    others, _ = config_snapshot.snapshot(folder / config, "config") if is_folder(folder / config) else ({}, [])
    if blocked or others:
        raise FilesInTheWayError(sorted({*blocked, *(config + name for name in others)}))
    configuration = read_tree(_inside(files, config), folder / config, at, {})
    if not configuration.errors:
        new_files.write(folder, files)
    return list(files), configuration.problems


def _inside(files: Mapping[str, bytes], folder: str) -> dict[str, bytes]:
    """The config's files as the daemon would find them: not its tests, not the schemas."""
    return {
        name.removeprefix(folder): data
        for name, data in files.items()
        if name.startswith(folder) and name.endswith(config_snapshot.WANTED) and not name.startswith(f"{folder}tests/")
    }
