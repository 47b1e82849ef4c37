"""What is wrong with incident files, each by itself and beside the others of its folder."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from tocsin.app.configuration.load import label_of
from tocsin.domain.incident import Incident
from tocsin.domain.policy import Policy
from tocsin.domain.problem import Problem
from tocsin.formats.incident.file_name import incident_id
from tocsin.formats.incident.read import read_incident
from tocsin.ports.folder import Listed
from tocsin.text.cleaning import shown
from tocsin.text.decoding import TOP, problem


def incident_problems(
    listed: Iterable[Listed],
    folder: Path,
    policy: Policy,
    now: datetime | None = None,
    previous: Incident | None = None,
) -> Iterator[Problem]:
    """What is wrong with incident files of one folder, or with those of one incident as it goes on (`previous`)."""
    first: dict[str, str] = {}
    for file in listed:
        name = label_of(folder / shown(file.name))
        if file.data is None:
            yield problem(name, TOP, "unreadable-file", f"the file cannot be read: {file.trouble}")
            continue
        other = first.setdefault(incident_id(file.name), name)
        if other != name:
            yield problem(name, TOP, "id-twice", f"{other} stands for the same incident; rename or merge one of them")
        yield from read_incident(file.data, file.name, policy, previous, name, now).problems
