"""The config folder: the fragments' texts in, a checked Policy and every problem out (`docs/config-as-code.md`).

Decides whether the fragments are good as a whole. Must not know tocsin.yaml, the file system, nor what is on call when.
Never raises.
"""

import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tocsin.domain.policy import Policy
from tocsin.domain.problem import Problem, ProblemLevel
from tocsin.domain.rotation import CalendarEvent
from tocsin.formats.config.file_names import is_fragment
from tocsin.formats.config.fragments import Fragments, merge_fragments
from tocsin.formats.config.general_advice import advise
from tocsin.formats.config.policy import build_people, build_policy
from tocsin.formats.config.references import EXTERNAL_UNSAID, check_references
from tocsin.formats.schema.pydantic_problems import UNKNOWN_EMPTY
from tocsin.text.decoding import CALENDAR_LIMIT, FILE_LIMIT, displayed_path
from tocsin.text.scalars import closest
from tocsin.text.yaml import Document, read_yaml

CALENDAR_PAST = timedelta(days=60)
CALENDAR_FUTURE = timedelta(days=400)
"""The stretch of a calendar that is read, around the moment of loading."""

NEWLY_REFUSED = frozenset({EXTERNAL_UNSAID})
"""Codes of errors that earlier versions of tocsin did not know: they refuse no config that was in force before."""


def unheard(_file: str) -> None:
    """Nobody asks which file is read now."""


@dataclass(frozen=True, slots=True)
class Sources:
    """A snapshot of the config folder: paths relative to it, with `/`, and their bytes. `label` is how users call
    the folder, and stands before each path in problems and places. `begins` hears which file is read now, by its name
    in problems, and of "" when none is any more.
    """

    files: Mapping[str, bytes]
    label: str
    begins: Callable[[str], None] = unheard

    def name(self, path: str) -> str:
        """A file as problems call it."""
        return displayed_path(self.label, path)

    def fragments(self) -> list[str]:
        """The files that are fragments, in a stable order."""
        return sorted(filter(is_fragment, self.files))


@dataclass(frozen=True, slots=True)
class ConfigReading:
    """What the fragments say. `policy` lacks what tocsin.yaml adds, and is None when anything is wrong; the names of
    people and severities (with whether they have a `page`) stand for the rest to be checked against even then, if every
    file could be read to its end (`whole`). `declared` knows where everything stands.
    """

    policy: Policy | None
    problems: tuple[Problem, ...]
    people: frozenset[str]
    severities: Mapping[str, bool]
    whole: bool
    declared: Fragments


def read_config(
    sources: Sources, at: datetime, cron_fault: Callable[[str], str | None], *, was_in_force: bool = False
) -> ConfigReading:
    """Read and check all fragments; the problems are in the order of files and lines. `at` (UTC) is around when
    calendars are read; `cron_fault` says what is wrong with a cron expression, or None. Of a config that
    `was_in_force` what is only refused today is advice: after an upgrade it goes on.
    """
    documents = [_document(sources, path) for path in sources.fragments()]
    sources.begins("")
    declared, problems = merge_fragments(documents)
    whole = not any(document.broken for document in documents)
    if whole:
        problems += check_references(declared, cron_fault, at)
    events, wrong = _calendars(sources, declared, at)
    problems += wrong
    if was_in_force:
        problems = [
            replace(problem, level=ProblemLevel.WARNING) if problem.code in NEWLY_REFUSED else problem
            for problem in problems
        ]
    built = None
    if not any(problem.level is ProblemLevel.ERROR and problem.code != UNKNOWN_EMPTY for problem in problems):
        built = build_policy(declared, events)
        problems += advise(declared, built, sources.label)
    return ConfigReading(
        policy=built,
        problems=tuple(sorted(problems, key=lambda problem: (problem.file, problem.line, problem.column))),
        people=frozenset(declared.people),
        severities={
            name: entry.model is None or entry.model.page is not None for name, entry in declared.severities.items()
        },
        whole=whole,
        declared=declared,
    )


def _document(sources: Sources, path: str) -> Document:
    """Read one fragment. One that is too large is refused whole."""
    data = sources.files[path]
    sources.begins(sources.name(path))
    document = read_yaml(data, sources.name(path))
    if len(data) > FILE_LIMIT:
        document.value, document.broken = None, True
    return document


def _calendars(
    sources: Sources, declared: Fragments, at: datetime
) -> tuple[dict[str, tuple[CalendarEvent, ...]], list[Problem]]:
    """The events of the calendar rotations, by the rotation's name."""
    events, problems = {}, []
    people = build_people(declared)
    for name, entry in declared.rotations.items():
        if entry.model is None or not entry.model.calendar:
            continue
        folder = posixpath.dirname(posixpath.relpath(entry.document.file, sources.label))
        path = posixpath.normpath(posixpath.join(folder, entry.model.calendar))
        if path not in sources.files:
            calendars = [posixpath.relpath(file, folder or ".") for file in sources.files if file.endswith(".ics")]
            message = f'there is no file "{path}" in the config folder{closest(entry.model.calendar, calendars)}'
            problems.append(entry.problem(("calendar",), "no-such-file", message))
            continue
        if len(sources.files[path]) > CALENDAR_LIMIT:
            message = f"{path} is over {CALENDAR_LIMIT // 1024 // 1024} MiB; export a shorter span"
            problems.append(entry.problem(("calendar",), "file-too-large", message))
            continue
        sources.begins(sources.name(path))
        from tocsin.formats.calendar.read import read_calendar  # noqa: PLC0415 - dear, and few configs have calendars

        events[name], wrong = read_calendar(
            sources.files[path], sources.name(path), people, at - CALENDAR_PAST, at + CALENDAR_FUTURE
        )
        sources.begins("")
        problems += wrong
        if not any(event.end > at for event in events[name]):
            message = f"{path} names nobody from now on; renew the calendar"
            problems.append(entry.problem(("calendar",), "calendar-over", message, level=ProblemLevel.WARNING))
    return events, problems
