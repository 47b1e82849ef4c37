"""`tocsin update`: add an update to an incident."""

from datetime import datetime
from pathlib import Path

import click

from tocsin.cli.options import anyway_option, config_option, instant_option


@click.command()
@click.argument("incident", metavar="ID")
@click.argument("text")
@click.option("--public", default="", metavar="T", help="The wording for external stakeholders.")
@click.option("--status", metavar="S", help="investigating, identified, monitoring or resolved.")
@instant_option("--eta", help="When it is expected to be over (ISO 8601 with offset or Z).")
@click.option("--by", default="", metavar="P", help="Who writes it.")
@anyway_option
@config_option
def command(  # noqa: PLR0913, PLR0917 - click hands over each option by name
    incident: str,
    text: str,
    public: str,
    status: str | None,
    eta: datetime | None,
    by: str,
    anyway: bool,
    config: Path | None,
) -> None:
    r"""Add TEXT to the updates of incident ID; stakeholders hear of it at once. Without --public external groups are
    not told of the text.

    \b
    Examples:
      tocsin update 2026-11-23-card-payments-fail "Failover under way." --by chen
      tocsin update 2026-11-23-card-payments-fail "Found it." \
        --public "We found the cause." --status identified
      tocsin update 2026-11-23-card-payments-fail "Restoring." \
        --eta 2026-11-23T12:00:00Z
    """
    from tocsin.app.incidents.commands import IncidentCommands
    from tocsin.cli.options import utc_now
    from tocsin.cli.workspace import id_of, run_command
    from tocsin.domain.incident import Edit, UpdateEntry
    from tocsin.text.cleaning import clean, one_line
    from tocsin.text.names import status_named

    entry = UpdateEntry(clean(text), clean(public), utc_now().replace(microsecond=0), one_line(clean(by)))
    if not entry.text:
        raise click.UsageError("TEXT is empty; say what is new")

    async def act(commands: IncidentCommands) -> str:
        return await commands.edit(
            id_of(incident), Edit(entry=entry, status=status_named(status) if status else None, eta=eta)
        )

    run_command(config, act, anyway=anyway)
