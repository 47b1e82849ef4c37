"""`tocsin assign`: give a role of an incident to a person."""

from pathlib import Path

import click

from tocsin.cli.options import anyway_option, completed, config_option, open_incident_argument, person_option


@click.command()
@open_incident_argument
@click.argument("role", metavar="ROLE", shell_complete=completed("roles"))
@click.argument("person", metavar="P", shell_complete=completed("people"))
@person_option("--as", "by", help="Who gives it: an id, full name or email.")
@anyway_option
@config_option
def command(incident: str, role: str, person: str, by: str | None, anyway: bool, config: Path | None) -> None:
    r"""Assign ROLE of incident ID to person P (an id, full name or email). P is paged for it; who held it keeps it
    until P accepts.

    \b
    Examples:
      tocsin assign 2026-11-23-card-payments-fail incident_commander bo
      tocsin assign 2026-11-23-card scribe dana@example.com --as bo
    """
    from tocsin.cli.incident_edit import run_edit
    from tocsin.domain.incident import Edit
    from tocsin.domain.policy import Policy
    from tocsin.text.names import person_named, role_named

    def assignment(policy: Policy, _by: str) -> Edit:
        return Edit(role=(role_named(role, policy), person_named(person, policy)))

    run_edit(config, incident, assignment, by=by, anyway=anyway)
