"""`tocsin review`: write the draft of an incident's post-incident review now."""

import asyncio
from pathlib import Path

import click

from tocsin.cli.options import config_option, fail, folder_of, incident_argument, utc_now


@click.command()
@incident_argument
@config_option
def command(incident: str, config: Path | None) -> None:
    r"""Write the review draft of incident ID and print its path. The daemon writes it when the incident is resolved;
    this writes it anew, with all that has happened since. A draft that somebody has edited is left alone: the new one
    goes beside it, as ID-2.md and so on.

    \b
    Examples:
      tocsin review 2026-11-23-card-payments-fail
    """
    from tocsin.adapters.files.incident_writer import FileError
    from tocsin.app.incidents.incident_meant import AmbiguousIncidentError
    from tocsin.app.incidents.reviews import NoDraftError
    from tocsin.ports.ledger.trouble import LedgerError

    try:
        click.echo(asyncio.run(_write(incident, folder_of(config))))
    except LedgerError as trouble:
        fail([f"the ledger cannot be used: {trouble}"])
    except (AmbiguousIncidentError, FileError, NoDraftError) as trouble:
        fail([str(trouble)])


async def _write(written: str, folder: Path) -> str:
    """The path of the draft, as users call it."""
    from tocsin.adapters.files.incident_writer import review_files
    from tocsin.app.configuration.load import label_of
    from tocsin.app.incidents.incident_meant import NamedIncidents
    from tocsin.app.incidents.reviews import NeverSeenError, write
    from tocsin.cli.whole_ledger import open_ledger
    from tocsin.cli.workspace import incident_named, open_workspace
    from tocsin.text.names import quotable

    async with open_workspace(open_ledger, folder, utc_now()) as workspace:
        ledger = workspace.need_ledger("the review is drafted from what the ledger records")
        reviews = workspace.settings.reviews
        incident = await incident_named(written, None, ledger)
        try:
            name = await write(incident, ledger, workspace.policy, review_files(reviews))
        except NeverSeenError:
            hint = await NamedIncidents(None, ledger).hint(incident)
            fail([f'the ledger knows no incident "{quotable(incident)}"{hint}'])
        return label_of(reviews / name)
