"""`tocsin assign`: give a role of an incident to a person."""

from pathlib import Path

import click

from tocsin.cli.options import anyway_option, completed, config_option, incident_argument


@click.command()
@incident_argument
@click.argument("role", metavar="ROLE", shell_complete=completed("roles"))
@click.argument("person", metavar="P", shell_complete=completed("people"))
@anyway_option
@config_option
def command(incident: str, role: str, person: str, anyway: bool, config: Path | None) -> None:
    r"""Assign ROLE of incident ID to person P (an id, full name or email). P is paged for it; who held it keeps it
    until P accepts.

    \b
    Examples:
      tocsin assign 2026-11-23-card-payments-fail incident_commander bo
      tocsin assign 2026-11-23-card-payments-fail scribe dana@example.com
    """
    from tocsin.app.incidents.commands import IncidentCommands
    from tocsin.cli.workspace import run_command
    from tocsin.domain.incident import Edit
    from tocsin.text.names import person_named, role_named

    async def act(commands: IncidentCommands, id_: str) -> str:
        pair = role_named(role, commands.policy), person_named(person, commands.policy)
        return await commands.edit(id_, Edit(role=pair))

    run_command(config, act, anyway=anyway, incident=incident)
