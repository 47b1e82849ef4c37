"""`tocsin note`: add to the timeline of an incident."""

from pathlib import Path

import click

from tocsin.cli.options import anyway_option, config_option, incident_argument, person_option, utc_now


@click.command()
@incident_argument
@click.argument("text", metavar="TEXT")
@person_option("--as", "person", help="Who notes it: an id, full name or email.")
@anyway_option
@config_option
def command(incident: str, text: str, person: str | None, anyway: bool, config: Path | None) -> None:
    r"""Add TEXT to the timeline of incident ID. It stands in the file, on your own people's page and in the review;
    nobody is told of it. What stakeholders are to hear is an update (tocsin update).

    \b
    Examples:
      tocsin note 2026-11-23-card "Restarted the primary at 10:12." --as dee
    """
    from tocsin.cli.incident_edit import run_edit
    from tocsin.domain.incident import Edit, TimelineNote
    from tocsin.text.cleaning import clean

    words, at = clean(text), utc_now().replace(microsecond=0)
    if not words:
        raise click.UsageError("TEXT is empty; say what is to be kept")
    run_edit(config, incident, lambda _policy, by: Edit(note=TimelineNote(words, at, by)), by=person, anyway=anyway)
