"""`tocsin severity`: raise or lower the severity of an incident."""

from pathlib import Path

import click

from tocsin.cli.options import anyway_option, completed, config_option, open_incident_argument, person_option


@click.command()
@open_incident_argument
@click.argument("severity", metavar="S", shell_complete=completed("severities"))
@person_option("--as", "person", help="Who does it: an id, full name or email.")
@anyway_option
@config_option
def command(incident: str, severity: str, person: str | None, anyway: bool, config: Path | None) -> None:
    r"""Set the severity of incident ID to S. Raised, it pages the roles that are newly needed and tells the groups that
    are newly concerned; lowered, it stands down whom it no longer needs. Who accepted stays.

    \b
    Examples:
      tocsin severity 2026-11-23-card sev1
      tocsin severity 2026-11-23-card SEV3 --as bo
    """
    from tocsin.cli.incident_edit import run_edit
    from tocsin.domain.incident import Edit
    from tocsin.text.names import severity_named

    run_edit(
        config, incident, lambda policy, _: Edit(severity=severity_named(severity, policy)), by=person, anyway=anyway
    )
