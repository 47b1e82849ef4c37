"""`tocsin ack`: acknowledge an incident for a person; and what they are told: what they hold now, or who holds it, and
since when.
"""

from pathlib import Path

import click

from tocsin.app.configuration.judge import JUDGED_SOON
from tocsin.cli.opened_config import Asked, judged_config
from tocsin.cli.options import anyway_option, config_option, folder_of, incident_argument, person_option


@click.command()
@incident_argument
@person_option("--as", "person", required=True, help="Who acknowledges: an id, full name or email.")
@anyway_option
@config_option
def command(incident: str, person: str, anyway: bool, config: Path | None) -> None:
    r"""Accept every role of incident ID that person P was paged for or is assigned. Whoever was neither accepts
    nothing: then nothing is written, and `tocsin assign` is the way.

    \b
    Examples:
      tocsin ack 2026-11-23-card-payments-fail --as ana
      tocsin ack 2026-11-23-card-payments-fail --as "Ana Souza"
    """
    needed = "tocsin.cli.incident_command", "tocsin.cli.acknowledging"
    loaded = judged_config(folder_of(config), *needed, patience=JUDGED_SOON, asked=Asked.INCIDENTS)
    from tocsin.app.incidents.commands import IncidentCommands
    from tocsin.cli.acknowledging import acknowledged
    from tocsin.cli.incident_command import run_command
    from tocsin.text.names import person_named

    async def act(commands: IncidentCommands, id_: str) -> str:
        return await commands.acknowledge(id_, person_named(person, commands.policy), acknowledged)

    run_command(config, act, anyway=anyway, incident=incident, loaded=loaded)
