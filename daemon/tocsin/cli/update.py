"""`tocsin update`: add an update to an incident."""

from dataclasses import replace
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
@click.option("--yes", is_flag=True, help="Don't ask, whatever it does: open an incident again, tell an odd estimate.")
@anyway_option
@config_option
def command(  # noqa: PLR0913, PLR0917 - click hands over each option by name
    incident: str,
    text: str,
    public: str,
    status: str | None,
    eta: WrittenInstant | None,
    by: str | None,
    yes: bool,
    anyway: bool,
    config: Path | None,
) -> None:
    r"""Add TEXT to the updates of incident ID; stakeholders hear of it at once. Without --public external groups are
    not told of the text.

    With --status resolved it is the end: TEXT is the resolution, and --public what outsiders hear of it, as tocsin
    resolve has it. An incident that is resolved takes no update, as nobody would hear of it, unless --status opens it
    again: that pages people anew. A terminal is asked before that; a script is told.

    \b
    Examples:
      tocsin update 2026-11-23-card-payments-fail "Failover under way." --by chen
      tocsin update 2026-11-23-card-payments-fail "Found it." \
        --public "We found the cause." --status identified
      tocsin update 2026-11-23-card "Restoring." --eta 2h
    """
    from tocsin.app.incidents.commands import IncidentCommands
    from tocsin.cli.incident_command import run_command
    from tocsin.cli.incident_edit import edit_and_tell, word_of_the_end
    from tocsin.cli.options import taken, utc_now, zone_of
    from tocsin.domain.incident import Edit, Status, UpdateEntry
    from tocsin.text.cleaning import clean
    from tocsin.text.names import person_named, status_named

    now, news = utc_now(), clean(text)
    if not news:
        raise click.UsageError("TEXT is empty; say what is new")

    async def act(commands: IncidentCommands, id_: str) -> str:
        writer = person_named(by, commands.policy) if by else ""
        new_status = status_named(status) if status else None
        edit = Edit(status=new_status, eta=taken("--eta", eta, now, lambda: zone_of(commands.policy, writer)))
        word, advice = clean(public), ""
        if new_status is Status.RESOLVED:
            word, advice = await word_of_the_end(commands, id_, public)
            edit = replace(edit, resolution=news, public_resolution=word or None)
        edit = replace(edit, entry=UpdateEntry(news, word, now.replace(microsecond=0), writer))
        return "\n".join(filter(None, (await edit_and_tell(commands, id_, edit, writer, yes=yes), advice)))

    run_command(config, act, anyway=anyway, incident=incident)
