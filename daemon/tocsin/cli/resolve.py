"""`tocsin resolve`: mark an incident resolved."""

from pathlib import Path

import click

from tocsin.cli.options import anyway_option, config_option


@click.command()
@click.argument("incident", metavar="ID")
@click.argument("text", required=False)
@anyway_option
@config_option
def command(incident: str, text: str | None, anyway: bool, config: Path | None) -> None:
    r"""Mark incident ID resolved, with TEXT as its resolution. Paging stops, and everybody who heard of the incident
    gets one closing message.

    \b
    Examples:
      tocsin resolve 2026-11-23-card-payments-fail
      tocsin resolve 2026-11-23-card-payments-fail "Failed over to the standby."
    """
    from tocsin.app.incidents.commands import IncidentCommands
    from tocsin.cli.workspace import id_of, run_command
    from tocsin.domain.incident import Status
    from tocsin.formats.incident.edit import Edit
    from tocsin.text.cleaning import clean

    async def act(commands: IncidentCommands) -> str:
        return await commands.edit(id_of(incident), Edit(status=Status.RESOLVED, resolution=clean(text or "") or None))

    run_command(config, act, anyway=anyway)
