"""`tocsin update`: add an update to an incident."""

from pathlib import Path

import click

from tocsin.cli.options import (
    anyway_option,
    completed,
    config_option,
    incident_argument,
    person_option,
    written_instant_option,
)
from tocsin.text.written_instant import WrittenInstant


@click.command()
@incident_argument
@click.argument("text")
@click.option("--public", default="", metavar="T", help="The wording for external stakeholders.")
@click.option(
    "--status",
    metavar="S",
    help="investigating, identified, monitoring or resolved.",
    shell_complete=completed("statuses"),
)
@written_instant_option("--eta", help="When it is expected to be over: 2h, 23:00, or ISO 8601 with offset or Z.")
@person_option("--by", "--as", help="Who writes it: an id, full name or email.")
@anyway_option
@config_option
def command(  # noqa: PLR0913, PLR0917 - click hands over each option by name
    incident: str,
    text: str,
    public: str,
    status: str | None,
    eta: WrittenInstant | None,
    by: str | None,
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
        --eta 2h
    """
    from tocsin.app.incidents.commands import IncidentCommands
    from tocsin.cli.options import taken, utc_now, zone_of
    from tocsin.cli.workspace import run_command
    from tocsin.domain.incident import Edit, UpdateEntry
    from tocsin.text.cleaning import clean
    from tocsin.text.names import person_named, status_named

    now, news = utc_now(), clean(text)
    if not news:
        raise click.UsageError("TEXT is empty; say what is new")

    async def act(commands: IncidentCommands, id_: str) -> str:
        writer = person_named(by, commands.policy) if by else ""
        expected_at = taken("--eta", eta, now, lambda: zone_of(commands.policy, writer))
        entry = UpdateEntry(news, clean(public), now.replace(microsecond=0), writer)
        new_status = status_named(status) if status else None
        return await commands.edit(id_, Edit(entry=entry, status=new_status, eta=expected_at))

    run_command(config, act, anyway=anyway, incident=incident)
