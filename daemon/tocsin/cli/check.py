"""`tocsin check`: is the config good, and are the incident files? Problems as `file:line:col: level: message`."""

import json
import sys
from pathlib import Path

import click

from tocsin.cli.opened_config import Asked, judged_config
from tocsin.cli.options import InputPath, config_option, folder_of
from tocsin.domain.problem import ProblemLevel


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
    from tocsin.cli.output.terminal.show import progress, show

    folder = folder_of(config)
    with progress("looking at the config and the incidents"):
        loaded = judged_config(folder, "tocsin.cli.checking", asked=Asked.ADDRESSES)
        from tocsin.cli.checking import look_at, looked_at, problem_document, summary

        seen = look_at(loaded, folder, paths)
    problems = seen.problems
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
        from tocsin.cli.output.terminal.line import problem_line

        show(map(problem_line, problems if form == "text" else ()))
        show([summary(problems, loaded.revision) + looked_at(seen)], err=True)
    sys.exit(1 if errors else 0)
