"""What a shell offers where a command wants an id, a person, a role, a severity, a service or a status.

It reads the files as they stand, without the ledger and without judging the config, so that it is quick and works where
nothing else does. What cannot be read is not offered; nothing is ever said of it, as people are in the midst of typing.
"""

import os
import threading
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Literal

import click
from click.shell_completion import CompletionItem

from tocsin.adapters.files.config_snapshot import snapshot
from tocsin.adapters.files.incident_writer import FileError, IncidentFiles
from tocsin.adapters.files.safe_open import read_regular
from tocsin.domain.incident import Status
from tocsin.formats.config.file_names import SETTINGS, is_fragment
from tocsin.formats.incident.file_name import incident_id
from tocsin.formats.incident.glance import glance
from tocsin.text.cleaning import clean, cut, one_line
from tocsin.text.decoding import FILE_LIMIT
from tocsin.text.scalars import NAME
from tocsin.text.yaml import read_yaml

Names = Literal["incidents", "open incidents", "people", "roles", "rotations", "severities", "services", "statuses"]
WITHIN = 0.25
"""Seconds for what is offered to be gathered; what has not been found by then is not offered."""
WIDE = 60
"""Characters of what is said of a name."""
READ_MOST = 200
"""How many incident files are looked into, the newest first; of the others only the id is offered."""


def offers(wanted: Names, folder_of: Callable[[Path | None], Path]) -> Callable[..., list[CompletionItem]]:
    """A `shell_complete` of click's that offers names of one sort; `folder_of` says where the config is."""

    def offer(ctx: click.Context, _param: click.Parameter, begun: str) -> list[CompletionItem]:
        config = ctx.params.get("config")

        def gather() -> None:
            for name, what in _candidates(wanted, folder_of(config), begun):
                found.append(CompletionItem(name, help=cut(what, WIDE) or None))

        found: list[CompletionItem] = []
        gathering = threading.Thread(target=gather, daemon=True)  # a folder may hang
        gathering.start()
        gathering.join(WITHIN)
        return list(found)

    return offer


def _candidates(wanted: Names, folder: Path, begun: str) -> Iterator[tuple[str, str]]:
    """Names that begin so, and what each is."""
    if wanted in {"incidents", "open incidents"}:
        yield from _incidents(_incident_folder(folder), begun, over=wanted == "incidents")
        return
    names = [(status.value, "") for status in Status] if wanted == "statuses" else _declared(wanted, folder)
    yield from ((name, what) for name, what in names if name.casefold().startswith(begun.casefold()))


def _declared(section: str, folder: Path) -> Iterator[tuple[str, str]]:
    """What the files of the config declare in a section, whatever else is wrong with them."""
    files, _ = snapshot(folder, "")
    for path in sorted(filter(is_fragment, files)):
        fields = read_yaml(files[path], path).value
        entries = fields.get(section) if isinstance(fields, dict) else None
        for name, entry in entries.items() if isinstance(entries, dict) else ():
            if not NAME.fullmatch(name):
                continue
            words = [entry.get(key) for key in ("name", "title")] if isinstance(entry, dict) else []
            yield name, next((one_line(clean(word)) for word in words if isinstance(word, str)), "")


def _incident_folder(folder: Path) -> Path:
    """Where the incident files lie, as far as that can be known at a glance."""
    try:
        settings = read_yaml(read_regular(folder / SETTINGS, FILE_LIMIT, follow=True), SETTINGS).value
    except OSError:
        settings = None
    written = settings.get("incidents") if isinstance(settings, dict) else None
    return folder / (os.environ.get("TOCSIN_INCIDENTS") or (written if isinstance(written, str) else "../incidents"))


def _incidents(folder: Path, begun: str, *, over: bool) -> Iterator[tuple[str, str]]:
    """Incidents whose id begins so, the newest first, each with its title: what is open, then, if that is `over` is
    wanted too, what is resolved and what is too old to look into.
    """
    files = IncidentFiles(folder)
    try:
        names = [name for name in files.names() if incident_id(name).casefold().startswith(begun.casefold())]
    except FileError:
        return
    newest, resolved = iter(sorted(names, key=lambda name: _changed_at(folder / name), reverse=True)), []
    for name in islice(newest, READ_MOST):
        at_a_glance = glance(files.read(name) or b"")
        what = f"{at_a_glance.severity.upper()} {at_a_glance.title}".strip()
        if at_a_glance.resolved:
            resolved.append((incident_id(name), f"{what} (resolved)"))
        else:
            yield incident_id(name), what
    if not over:
        return
    yield from resolved
    yield from ((incident_id(name), "") for name in newest)


def _changed_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
