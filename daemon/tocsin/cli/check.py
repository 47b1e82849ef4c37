"""`tocsin check`: is the config good, and are the incident files? Problems as `file:line:col: level: message`."""

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from tocsin.app.configuration.check import Inspection
from tocsin.app.configuration.load import Configuration
from tocsin.cli.judging import ready_child
from tocsin.cli.options import InputPath, config_option, folder_of
from tocsin.domain.problem import Problem, ProblemLevel
from tocsin.formats.config.file_names import SETTINGS
from tocsin.formats.settings.settings import Settings
from tocsin.planning.on_call.coverage import AHEAD
from tocsin.ports.folder import Listed
from tocsin.ports.ledger.ledger import Ledger


@click.command()
@click.argument("paths", nargs=-1, type=InputPath())
@click.option("--format", "form", type=click.Choice(["text", "json", "github"]), default="text", show_default=True)
@config_option
def command(paths: tuple[Path, ...], form: str, config: Path | None) -> None:
    r"""Check the config, whom its chains reach over the next 90 days, the templates and incident files. PATHs are
    incident files or folders of them; without any, the configured folder is looked at. Addresses that a provider
    refused when they were last tried, and those that have not proved to work for 90 days, are told too, if there is a
    ledger. Exit status 1 if there is an error; warnings are only told.

    \b
    Examples:
      tocsin check
      tocsin check incidents/2026-11-23-card-payments-fail.yaml
      tocsin check --format github        annotations for a pull request
    """
    from tocsin.adapters.clock import SystemClock
    from tocsin.app.configuration.check import inspect
    from tocsin.cli.output.terminal.line import problem_line
    from tocsin.cli.output.terminal.show import progress, show

    work = ready_child()
    with progress("looking at the config and the incidents"):
        seen = inspect(work, folder_of(config), paths, SystemClock().now(), os.environ, _scan)
        loaded, problems = seen.configuration, seen.problems
        problems += _by_the_ledger(loaded, folder_of(config))
    errors = sum(problem.level is ProblemLevel.ERROR for problem in problems)
    if form == "json":
        json.dump(
            {"ok": not errors, "problems": [problem_document(problem) for problem in problems]},
            sys.stdout,
            ensure_ascii=False,
        )
        click.echo()
    else:
        if form == "github":
            from tocsin.cli.output.test_reports import problem_annotation

            for problem in problems:
                click.echo(problem_annotation(problem))
        show(map(problem_line, problems if form == "text" else ()))
        show([summary(problems, loaded.revision) + _looked_at(seen)], err=True)
    sys.exit(1 if errors else 0)


def _by_the_ledger(loaded: Configuration, folder: Path) -> list[Problem]:
    """What a ledger tells, as far as there is one that can be read."""
    from tocsin.cli.workspace import warn
    from tocsin.ports.ledger.ledger import LedgerError

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
    from tocsin.cli.ledger_access import misfits, open_ledger, trouble_of_writing
    from tocsin.cli.workspace import warn

    access = await open_ledger(loaded.ledger, warn if loaded.ledger.file else _keep_still)
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
        await access.ledger.close()


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


async def _addresses_in_doubt(loaded: Configuration, folder: Path, ledger: Ledger) -> list[Problem]:
    """Raises LedgerError."""
    from tocsin.adapters.clock import SystemClock
    from tocsin.app.configuration.address_advice import opt_outs as stopped
    from tocsin.app.configuration.address_advice import refused_addresses
    from tocsin.app.doctor import people

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
    from tocsin.adapters.clock import SystemClock
    from tocsin.adapters.files.incident_folder.reading import FolderReading

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


def _looked_at(seen: Inspection) -> str:
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
