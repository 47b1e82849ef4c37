"""`tocsin test`: does the plan do what the policy tests expect? One line each, and a diff for each failure."""

import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import NoReturn

import click

from tocsin.cli.opened_config import open_policy
from tocsin.cli.options import InputPath, config_option, fail, folder_of, tell_problems, utc_now
from tocsin.domain.policy import Policy


@click.command()
@click.argument("paths", nargs=-1, type=InputPath())
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "junit", "github"]),
    default="text",
    show_default=True,
    help="junit: a report that CI servers show; github: annotations beside the lines of a pull request.",
)
@config_option
def command(paths: tuple[Path, ...], form: str, config: Path | None) -> None:
    r"""Play policy tests against the config and say which hold. PATHs are test files or folders of them; without any,
    `tests/` in the config folder. Nothing is sent. Exit status 1 if a test fails or cannot be read, or if PATHs hold
    none.

    \b
    Examples:
      tocsin test
      tocsin test config/tests/sev1.yaml
      tocsin test --format junit > report.xml
      tocsin test --format github

    \b
    A test file holds one test, or a list of them:
      name: Level 1 is paged after five minutes
      at: 2026-11-23T10:00:00Z
      incident: {title: Card payments fail, severity: sev1}   # or a file's path
      steps:                                                  # as for `simulate`
        - {after: 7m, ack: ana}
      expect:
        - {after: 5m, page: bo, as: technical_lead, via: [sms, email]}
        - {after: 30m..31m, update: executives}   # without `after`: at any time
        - {never: page, to: ceo}
        - {none_after: 2h}

    Beside `page` there are stand_down, update, closing, reminder, verify and review; `reason`, `level`, `round`, `to`
    and `group` narrow them. `expect: {exactly: [...]}` is the whole list: none missing, none besides. A test is played
    to the last moment it names, where it needs an end for 4h, or for as long as `for` says.
    """
    from tocsin.adapters.files.rights import is_folder
    from tocsin.app.policy_tests.run import policies, policy_test_files

    policy = open_policy(config, utc_now()).policy
    folder = folder_of(config) / "tests"
    files = policy_test_files(paths or ([folder] if is_folder(folder) else []))
    if files:
        _try(files, policies(policy, lambda at: open_policy(config, at).policy), policy, form)
    elif paths:
        fail([f"there is no test file (*.yaml) in {', '.join(map(str, paths))}"])
    if form == "junit":
        from tocsin.cli.output.test_reports import junit

        click.echo("\n".join(junit([], [])))
    none = f"no policy tests: write the first one as {folder}/sev1.yaml (tocsin test --help)"
    click.echo(none, err=form != "text")


def _try(files: Sequence[Path], policy_at: Callable[[datetime], Policy], policy: Policy, form: str) -> NoReturn:
    """Try every test of these files, say how each went, and exit with 0 or 1. What machines are told goes alone to
    stdout, and how it went to stderr.
    """
    from tocsin.app.policy_tests.run import read_test_files, run_policy_test
    from tocsin.cli.output.terminal.show import progress, show
    from tocsin.cli.output.test_lines import summary, verdict
    from tocsin.cli.output.test_reports import github, junit

    tests, problems = read_test_files(files, policy)
    if form == "text":
        tell_problems(problems)
    trials = []
    with progress("playing policy tests", len(tests)) as shown:
        for number, test in enumerate(tests, 1):
            trial = run_policy_test(test, policy_at(test.at))
            trials.append(trial)
            shown.tell(number)
            if form == "text":
                with shown.aside():
                    show(verdict(trial))
    if form != "text":
        for line in (junit if form == "junit" else github)(trials, problems):
            click.echo(line)
    failed = sum(bool(trial.failures) for trial in trials)
    show([summary(len(tests), failed, len(problems))], err=form != "text")
    sys.exit(1 if failed or problems else 0)
