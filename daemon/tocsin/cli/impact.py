"""`tocsin impact`: say what customers notice of an incident."""

from pathlib import Path

import click

from tocsin.cli.options import anyway_option, config_option, open_incident_argument, person_option


@click.command()
@open_incident_argument
@click.argument("text", metavar="TEXT")
@person_option("--as", "person", help="Who writes it: an id, full name or email.")
@anyway_option
@config_option
def command(incident: str, text: str, person: str | None, anyway: bool, config: Path | None) -> None:
    r"""Write TEXT as the impact of incident ID: what customers notice. Outsiders read it too, and everybody who is told
    of the incident hears at once that it changed.

    \b
    Examples:
      tocsin impact 2026-11-23-card "One card payment in three fails." --as chen
    """
    from tocsin.cli.incident_edit import run_edit
    from tocsin.domain.incident import Edit
    from tocsin.text.cleaning import clean

    impact = clean(text)
    if not impact:
        raise click.UsageError("TEXT is empty; say what customers notice")
    run_edit(config, incident, lambda _policy, _by: Edit(impact=impact), by=person, anyway=anyway)
