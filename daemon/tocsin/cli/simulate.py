"""`tocsin simulate`: every message that would be sent for an incident, in time order. Nothing is sent or recorded."""

import json
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from tocsin.cli.options import InputPath, config_option, fail, instant_option, span_option, tell_problems, utc_now
from tocsin.domain.policy import Policy
from tocsin.formats.policy_test.script import ScriptStep, read_script


@click.command()
@click.argument("incident", type=InputPath(dir_okay=False))
@instant_option("--at", today=True, help="When the daemon first sees the file, such as 23:00. Default: now.")
@span_option("--for", "span", default="4h", help="How long to follow it. Default: 4h.")
@click.option(
    "--script",
    type=InputPath(dir_okay=False),
    help="A YAML list of steps: acknowledgments, edits, refusals.",
)
@click.option("--bodies", is_flag=True, help="Show the whole text of mails, not their subjects alone.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@config_option
def command(
    incident: Path,
    at: datetime | None,
    span: timedelta,
    script: Path | None,
    bodies: bool,
    form: str,
    config: Path | None,
) -> None:
    r"""Print every message that would be sent for INCIDENT.yaml, in time order. Nothing is sent. What a script does is
    shown among the messages (not in JSON), and of a step without effect why it has none.

    \b
    Examples:
      tocsin simulate incidents/checkout.yaml
      tocsin simulate incidents/checkout.yaml --at 2026-11-23T03:00Z --for 2h
      tocsin simulate incidents/checkout.yaml --script steps.yaml
      tocsin simulate incidents/checkout.yaml --bodies        every word

    \b
    A script is a list of steps, `after` counted from --at:
      - {after: 7m, ack: ana}
      - {after: 20m, pass: bo}
      - {after: 30m, set: {status: identified, eta: 2026-11-23T12:00:00Z}}
      - {after: 40m, update: "Failover done.", public: "Most payments work."}
      - {after: 1h, fail: {person: ana, via: sms}}
      - {after: 2h, set: {status: resolved}}
    """
    from tocsin.app.configuration.load import label_of
    from tocsin.app.simulation.play import WithReplies, document, play
    from tocsin.app.wiring.renderer import shipped_renderer
    from tocsin.cli.opened_config import open_policy
    from tocsin.cli.output.terminal.show import progress, show
    from tocsin.formats.settings.settings import reply_routes

    start = (at or utc_now()).astimezone(UTC).replace(microsecond=0)
    opened = open_policy(config, start)
    steps = _steps(script, opened.policy) if script else ()
    renderer = shipped_renderer(opened.settings.templates)
    words = WithReplies(renderer, reply_routes(opened.settings))
    with progress("playing the incident"):
        played = play(opened.policy, incident.read_bytes(), incident.name, start, span, steps, words)
    tell_problems([replace(problem, file=label_of(incident)) for problem in played.problems])
    if form == "json":
        json.dump(document(played), sys.stdout, ensure_ascii=False, indent=1)
        click.echo()
        return
    from tocsin.cli.output.simulate_lines import lines

    show(lines(played, opened.policy, bodies=bodies))


def _steps(script: Path, policy: Policy) -> tuple[ScriptStep, ...]:
    """The steps of a script; a wrong one is told and ends with 1."""
    steps, problems = read_script(script.read_bytes(), str(script), policy)
    if problems:
        fail(problems)
    return steps
