"""Whether a config may count: it is read, and its calendars expanded, in a process of its own, with a deadline and a
bound on memory, before anything of it replaces what is in force.

Decides what is said of a config that hangs, eats memory or breaks its reader: it is refused, with its place. Must not
know what follows.
"""

import importlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from tocsin.adapters.child import note_stage
from tocsin.adapters.files.rights import is_file
from tocsin.app.configuration.load import ConfigFiles, Configuration, label_of, read_files
from tocsin.domain.problem import Problem
from tocsin.formats.config.entries import SECTIONS
from tocsin.formats.config.file_names import SETTINGS
from tocsin.formats.settings.settings import Settings
from tocsin.ports.bounded_work import BoundedWork, Overrun, OverrunCause
from tocsin.text.decoding import TOP, problem

JUDGED_WITHIN = 10.0
"""Seconds of the processor for a whole config, and for all templates of a folder."""
JUDGED_IN = 256
"""Megabytes for that."""
JUDGED_SOON = 4.0
"""Seconds by the clock after which a start and a person's command go on with what the ledger keeps, if it keeps any."""
NOT_JUDGED = "not-judged"
"""The code of what the machine was too slow for: nothing is known to be wrong with it."""
NEEDED_BY_MOST = ("tocsin.app.configuration.read_tree", "email_validator", "phonenumbers")
NEEDED_BY_SOME = ("pydantic_settings", "tocsin.formats.calendar.read")
"""What configs need to be judged: those with addresses; those with a calendar, or that a variable sets."""


def prepare_judging(*, for_many: bool = True) -> None:
    """Load and build now what is else left until a config needs it: a process that has configs judged calls this before
    it forks what judges them. `for_many`: also what few configs need, so that it is not done anew for each.
    """
    for late in (*NEEDED_BY_MOST, *(NEEDED_BY_SOME if for_many else ())):
        importlib.import_module(late)
    for section in SECTIONS.values():
        section.model_rebuild()
    Settings.model_rebuild()


def load(
    work: BoundedWork, folder: Path, at: datetime, environ: Mapping[str, str], patience: float | None = None
) -> Configuration:
    """Read and judge the config folder. `at` (UTC) is around when calendars are read; `environ` are the process's
    variables; `patience` as in `judge_config`. Its `ledger` is where one lies, if there is any.
    """
    return with_ledger(judge_config(work, read_files(folder), folder, at, environ, patience))


def with_ledger(found: Configuration) -> Configuration:
    """The same, with the place where a ledger does lie, if one lies in any of those where it may. It asks the disk."""
    places = (found.ledger, *found.elsewhere)
    return replace(found, ledger=next((place for place in places if place.file and is_file(place.file)), found.ledger))


def judge_config(
    work: BoundedWork,
    found: ConfigFiles,
    folder: Path,
    at: datetime,
    environ: Mapping[str, str],
    patience: float | None = None,
) -> Configuration:
    """Whether what was read of a config folder is a good config. One that comes to no end is refused; where only the
    machine was slow, or whoever asks has no more `patience` (seconds by the clock), it counts as unread, and may go
    well in a moment (rule 73).
    """
    judged = _bounded(work, found, folder, at, environ, patience)
    if isinstance(judged, Configuration):
        return replace(judged, files=found.files)
    fault = _fault(judged, label_of(folder))
    place = _place(work, judged, found, folder, at, environ)
    return Configuration(
        policy=None,
        settings=None,
        problems=(*found.problems, fault),
        ledger=place.ledger,
        files=found.files,
        revision=found.revision,
        unread=(fault,) if judged.cause is OverrunCause.MACHINE else (),
        elsewhere=place.elsewhere,
        own=place.own,
    )


def _place(
    work: BoundedWork, judged: Overrun, found: ConfigFiles, folder: Path, at: datetime, environ: Mapping[str, str]
) -> Configuration:
    """What is known of this machine, and of where its ledger lies, when the config as a whole comes to no end: what
    tocsin.yaml says, unless that is to blame. A slow machine is not asked again for so little.
    """
    from tocsin.app.configuration.read_tree import read_tree  # noqa: PLC0415 - dear, and for who judges alone

    alone = ConfigFiles({path: data for path, data in found.files.items() if path == SETTINGS}, (), "")
    if judged.cause is OverrunCause.MACHINE:
        return judge(alone, folder, at, environ)
    place = _bounded(work, alone, folder, at, environ)

    return replace(read_tree({}, folder, at, environ), own=None) if isinstance(place, Overrun) else place


def not_judged(reading: Configuration) -> bool:
    """Whether nothing is known of a config but that there was no time to judge it."""
    return any(problem.code == NOT_JUDGED for problem in reading.unread)


def judge(found: ConfigFiles, folder: Path, at: datetime, environ: Mapping[str, str]) -> Configuration:
    """Read what was read of a config folder as a config, with nothing to bound it: this is what the process of its own
    does. The files are not handed back.
    """
    from tocsin.app.configuration.read_tree import read_tree  # noqa: PLC0415 - dear, and for who judges alone

    problems = list(found.problems)
    judged = read_tree(
        found.files,
        folder,
        at,
        environ,
        problems=problems,
        revision=found.revision,
        begins=note_stage,
        was_in_force=found.was_in_force,
    )
    return replace(judged, files={})


def _bounded(
    work: BoundedWork,
    found: ConfigFiles,
    folder: Path,
    at: datetime,
    environ: Mapping[str, str],
    patience: float | None = None,
) -> Configuration | Overrun:
    args = (found, folder, at, dict(environ))
    return work.run(judge, *args, seconds=JUDGED_WITHIN, megabytes=JUDGED_IN, patience=patience)


def _fault(overrun: Overrun, label: str) -> Problem:
    """A config that gave nothing, as a problem: the file that was read then, if one was."""
    if overrun.cause is OverrunCause.MACHINE:
        why = f"judging this config {overrun.why}; nothing is known to be wrong with it: it is to be judged again"
        return problem(label, TOP, NOT_JUDGED, why)
    if overrun.cause is OverrunCause.TIME and overrun.stage:
        return _too_slow(overrun, label)
    what = "file" if overrun.stage else "config"
    advice = f"simplify this {what}, or take {'it' if overrun.stage else 'out what was changed last'}"
    if overrun.stage:
        advice += " out"
    return problem(overrun.stage or label, TOP, "cannot-be-judged", f"reading this {what} {overrun.why}; {advice}")


def _too_slow(overrun: Overrun, label: str) -> Problem:
    """A config that takes too long: the time is that of all its files. One that took most of it is its place."""
    why = f"reading the whole config {overrun.why}"
    file, most = overrun.dearest[0] if overrun.dearest else (overrun.stage, 0.0)
    if most * 2 > JUDGED_WITHIN:
        return problem(
            file, TOP, "cannot-be-judged", f"{why}, {most:.1f} s of it this file; simplify it, or take it out"
        )
    dearest = ", ".join(f"{file} ({cost:.1f} s)" for file, cost in overrun.dearest)
    names = f"; the dearest were {dearest}" if dearest else ""
    advice = "simplify these, or take out what was changed last"
    return problem(label, TOP, "cannot-be-judged", f"{why}; it was at {overrun.stage} then{names}; {advice}")
