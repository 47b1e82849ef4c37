"""`tocsin declare`: write a new incident file, and print its id."""

from pathlib import Path

import click

from tocsin.cli.options import AS, anyway_option, completed, config_option


@click.command()
@click.argument("title")
@click.option(
    "--severity",
    required=True,
    metavar="S",
    help="A severity of the config, in any case.",
    shell_complete=completed("severities"),
)
@click.option(
    "--service",
    "services",
    multiple=True,
    metavar="X",
    help="An affected service; may be given again.",
    shell_complete=completed("services"),
)
@click.option("--summary", default="", help="What is known so far, for responders.")
@click.option("--impact", default="", help="What customers notice; external stakeholders read it.")
@click.option(
    "--by",
    "--as",
    default="",
    envvar=AS,
    metavar="NAME",
    help=f"Who declares it, a person of the config or not. Default: ${AS}.",
    shell_complete=completed("people"),
)
@click.option(
    "--drill", is_flag=True, help="An exercise: every message says DRILL, external stakeholders hear nothing."
)
@anyway_option
@config_option
def command(  # noqa: PLR0913, PLR0917 - click hands over each option by name
    title: str,
    severity: str,
    services: tuple[str, ...],
    summary: str,
    impact: str,
    by: str,
    drill: bool,
    anyway: bool,
    config: Path | None,
) -> None:
    r"""Declare an incident. Its id is made from today's date (UTC) and TITLE, and printed.

    \b
    Examples:
      tocsin declare "Card payments fail" --severity sev1
      tocsin declare "Search is slow" --severity sev3 --service search \
        --impact "Searches take 10 s"
      tocsin declare "Fire drill" --severity sev2 --drill
    """
    from tocsin.app.incidents.commands import IncidentCommands
    from tocsin.cli.incident_command import run_command
    from tocsin.cli.incident_edit import who_hears_of
    from tocsin.domain.incident import Incident
    from tocsin.text.cleaning import clean, one_line
    from tocsin.text.names import service_named, severity_named

    headline = one_line(clean(title))
    if not headline:
        raise click.UsageError("TITLE is empty; say in a few words what is broken")

    async def act(commands: IncidentCommands, _id: str) -> str:
        incident = Incident(
            id="",
            title=headline,
            severity=severity_named(severity, commands.policy),
            summary=clean(summary),
            impact=clean(impact),
            services=tuple(dict.fromkeys(service_named(name, commands.policy) for name in services)),
            declared_by=one_line(clean(by)),
            drill=drill,
        )
        click.echo(await commands.declare(incident))
        return who_hears_of(commands, incident)

    run_command(config, act, anyway=anyway)
