"""What `tocsin check` finds: in the config and the incident files, and by the ledger."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tocsin.adapters.clock import SystemClock
from tocsin.adapters.files.incident_folder.reading import FolderReading
from tocsin.app.configuration.address_advice import opt_outs as stopped
from tocsin.app.configuration.address_advice import refused_addresses
from tocsin.app.configuration.check import Inspection, inspect
from tocsin.app.configuration.load import Configuration
from tocsin.app.doctor import people
from tocsin.cli.judging import bounded_child
from tocsin.cli.whole_ledger import misfits, open_addresses, trouble_of_writing
from tocsin.cli.workspace import warn
from tocsin.domain.problem import Problem, ProblemLevel
from tocsin.formats.config.file_names import SETTINGS
from tocsin.formats.settings.settings import Settings
from tocsin.planning.on_call.coverage import AHEAD
from tocsin.ports.folder import Listed
from tocsin.ports.ledger.reading import AddressRecords
from tocsin.ports.ledger.trouble import LedgerError


def look_at(loaded: Configuration, folder: Path, paths: Sequence[Path]) -> Inspection:
    """What was found in a config that was just `loaded` from its folder, in incident files (of `paths`, or else of the
    configured folder), and by the ledger.
    """
    seen = inspect(bounded_child(), loaded, folder, paths, SystemClock().now(), _scan)
    return replace(seen, problems=[*seen.problems, *_by_the_ledger(loaded, folder)])


def _by_the_ledger(loaded: Configuration, folder: Path) -> list[Problem]:
    """What a ledger tells, as far as there is one that can be read."""
    if loaded.policy is None or loaded.settings is None:
        return []
    try:
        return asyncio.run(_look_at_ledger(loaded, loaded.settings, folder))
    except LedgerError as trouble:
        warn(f"the ledger cannot be read ({trouble}); refused and unproven addresses are not told")
        return []


async def _look_at_ledger(loaded: Configuration, settings: Settings, folder: Path) -> list[Problem]:
    """What is wrong with a ledger on a server, for a daemon would find the same; else addresses of the config that a
    provider refused when they were last tried, that want nothing more, or that have not proved to work for long. Raises
    LedgerError.
    """
    access = await open_addresses(loaded.ledger, warn if loaded.ledger.file else _keep_still)
    on_server = loaded.ledger.file is None
    hinders = trouble_of_writing(loaded) if on_server and access.is_reached else ""
    trouble, lacking = hinders or access.trouble, access.lacking and not hinders
    told = [_ledger_problem(loaded, trouble, lacking)] if on_server and trouble else []
    told += [_ledger_problem(loaded, access.newer, True)] if access.newer else []
    if access.ledger is None:
        return told
    try:
        taken, others = await misfits(access, settings)
        told += [_ledger_problem(loaded, taken, False)] if taken else []
        told += [_ledger_problem(loaded, misfit, True) for misfit in others]
        return [*told, *await _addresses_in_doubt(loaded, folder, access.ledger)]
    finally:
        await access.close()


def _keep_still(_sentence: str) -> None:
    """It is told as a problem."""


def _ledger_problem(loaded: Configuration, message: str, lacking: bool) -> Problem:
    """Something wrong with the ledger, where it is named. What only lacks here, such as a password in a pipeline, or
    the way to the server, is a warning, and so is what hinders no start.
    """
    assert loaded.policy is not None
    file, _, line = loaded.policy.places.get("ledger", SETTINGS).rpartition(":")
    level = ProblemLevel.WARNING if lacking else ProblemLevel.ERROR
    place = (file, int(line)) if line.isdecimal() else (f"{file}:{line}" if file else line, 1)
    return Problem(*place, 1, level, "ledger", f"ledger: {message}")


async def _addresses_in_doubt(loaded: Configuration, folder: Path, ledger: AddressRecords) -> list[Problem]:
    """Raises LedgerError."""
    opt_outs, proofs = await ledger.opt_outs(), await ledger.proofs()
    refused = refused_addresses.still_standing(await ledger.refusals(), opt_outs, proofs)
    told = {(attempt.via, attempt.address) for attempt in refused} | {(out.via, out.address) for out in opt_outs}
    return [
        *refused_addresses.problems(loaded, folder, refused),
        *stopped.problems(loaded, folder, opt_outs),
        *people.problems(loaded, folder, proofs, told, SystemClock().now()),
    ]


def _scan(folder: Path) -> Sequence[Listed] | str:
    """The incident files of a folder."""
    return FolderReading(folder, SystemClock()).scan()


def problem_document(problem: Problem) -> dict[str, str | int]:
    """A problem as JSON (`docs/behaviour.md`)."""
    return {
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "level": str(problem.level),
        "code": problem.code,
        "message": problem.message,
    }


def looked_at(seen: Inspection) -> str:
    """What a verdict speaks of, counted: what is missing there was not looked at. Nothing of a refused config."""
    policy = seen.configuration.policy
    if policy is None:
        return ""
    sections = (
        (len(policy.severities), "severity", "severities"),
        (len(policy.roles), "role", "roles"),
        (len(policy.people), "person", "people"),
        (len(policy.rotations), "rotation", "rotations"),
        (len(policy.services), "service", "services"),
        (len(policy.stakeholders), "stakeholder group", "stakeholder groups"),
        (seen.templates, "template file", "template files"),
        (seen.incidents, "incident file", "incident files"),
    )
    counted = [f"{count} {one if count == 1 else many}" for count, one, many in sections if count]
    return f" ({', '.join(counted)}; whom chains reach in the next {AHEAD.days} days)"


def summary(problems: Sequence[Problem], revision: str) -> str:
    """One line for people: how it went."""
    errors = sum(problem.level is ProblemLevel.ERROR for problem in problems)
    warnings = len(problems) - errors
    counted = [
        f"{count} {word}{'s' * (count > 1)}" for count, word in ((errors, "error"), (warnings, "warning")) if count
    ]
    return f"config{' ' * bool(revision)}{revision}: {', '.join(counted) or 'good'}"
