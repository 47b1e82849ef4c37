"""`tocsin explain`: why somebody was woken, or was not: everything behind an incident's messages on one screen."""

import asyncio
from datetime import datetime
from pathlib import Path

import click

from tocsin.adapters.files.incident_writer import FileError, IncidentFiles
from tocsin.app.incidents.explanation import Explanation, UnknownIncidentError
from tocsin.app.incidents.incident_meant import AmbiguousIncidentError, NamedIncidents
from tocsin.cli.options import (
    completed,
    config_option,
    fail,
    folder_of,
    incident_argument,
    instant_option,
    utc_now,
)
from tocsin.domain.policy import Policy
from tocsin.ports.ledger.trouble import LedgerError


@click.command()
@incident_argument
@instant_option(
    "--at", ago=True, today=True, help="As it stood then: 10:30, 2h (ago), or ISO 8601 with offset or Z. Default: now."
)
@click.option(
    "--person",
    metavar="P",
    help="Only what concerns this person, in full: why me, or why not me? An id, a name or an email.",
    shell_complete=completed("people"),
)
@click.option("--all", "whole", is_flag=True, help="Everything, nothing folded.")
@click.option(
    "--timezone", is_eager=True, metavar="ZONE", help="The zone of all times. Default: that of --person, else UTC."
)
@config_option
def command(
    incident: str, at: datetime | None, person: str | None, whole: bool, timezone: str | None, config: Path | None
) -> None:
    r"""Explain incident ID: who holds what, what was sent and why, what comes next, what was held back and why. Each
    message has its reason, the rule (file:line) and the config revision behind it. It works beside the daemon and
    without it; for a file that the daemon has not seen it tells what would be sent.

    \b
    Examples:
      tocsin explain 2026-11-23-card-payments-fail
      tocsin explain 2026-11-23-card-payments-fail --person ana   why me, or not?
      tocsin explain 2026-11-23-card-payments-fail --at 2026-11-23T10:30Z
      tocsin explain 2026-11-23-card-payments-fail --all --timezone Europe/Berlin
    """
    from tocsin.cli.output.explain_lines import WIDEST, WIDTH, ExplainReader, lines
    from tocsin.cli.output.terminal.show import columns, show
    from tocsin.text import scalars

    try:
        zone = scalars.zone(timezone) if timezone else ""
    except ValueError as fault:
        raise click.BadParameter(str(fault), param_hint="--timezone") from None
    if at is not None and at > utc_now():
        raise click.UsageError("--at lies ahead; explain tells from now on what comes next (else: tocsin simulate)")
    try:
        explained, policy, rights = asyncio.run(_explain(incident, folder_of(config), at))
        who = _person(person, policy, explained) if person else ""
    except LedgerError as trouble:
        fail([f"the ledger cannot be used: {trouble}"])
    except (AmbiguousIncidentError, UnknownIncidentError, FileError, ValueError) as trouble:
        fail([str(trouble)])
    if not zone:
        zone = policy.people[who].timezone if who in policy.people else "UTC"
    show(lines(explained, policy, ExplainReader(zone, whole, who, rights, columns(WIDTH, WIDEST))))


async def _explain(written: str, folder: Path, at: datetime | None) -> tuple[Explanation, Policy, bool]:
    """The explanation, the policy that counts, and whether the ledger may be read. Raises UnknownIncidentError,
    LedgerError.
    """
    from dataclasses import replace

    from tocsin.app.incidents.explanation import explain, policy_since
    from tocsin.app.incidents.open_incidents import holders_unknown
    from tocsin.cli.whole_ledger import open_ledger
    from tocsin.cli.workspace import incident_named, need_answer, open_workspace
    from tocsin.text.names import quotable

    now = utc_now()
    async with open_workspace(open_ledger, folder, now) as workspace:
        settings, ledger = workspace.settings, workspace.ledger
        folder_of_files = settings.incidents
        await need_answer(folder_of_files, "tocsin status shows what the ledger knows")
        files = IncidentFiles(folder_of_files)
        id_ = await incident_named(written, files, ledger)
        policy = await policy_since(workspace.loaded, ledger, now)
        try:
            explained = await explain(id_, policy, ledger, files, at, now, settings.limits)
        except UnknownIncidentError as unseen:
            hint = await NamedIncidents(files, ledger).hint(id_)
            raise UnknownIncidentError(str(unseen) or f'there is no incident "{quotable(id_)}"{hint}') from None
        if at is None and (unserved := await workspace.unserved()):
            explained = replace(explained, notes=(*explained.notes, unserved))
        rights = not workspace.access.barred
        if not rights and explained.incident.acknowledged:
            explained = replace(explained, notes=(*explained.notes, holders_unknown(explained.incident, policy, now)))
        return explained, policy, rights


def _person(written: str, policy: Policy, explained: Explanation) -> str:
    """The person's id; whoever got something as they are written there; else a plain address as a group has it."""
    from tocsin.text.names import person_named

    readers = {notification.to for message in explained.sent for notification in message.messages}
    if written in readers:
        return written
    try:
        return person_named(written, policy)
    except ValueError:
        group = policy.group_of(written)
        if group is None:
            raise
        return next(email for email in group.emails if email.casefold() == written.casefold())
