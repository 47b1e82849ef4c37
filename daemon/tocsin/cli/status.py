"""`tocsin status`: open incidents, their roles, the next update, and what is wrong."""

import asyncio
import json
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from tocsin.app.incidents.open_incidents import OpenIncident
from tocsin.cli.options import config_option, fail, folder_of, utc_now
from tocsin.domain.policy import Policy
from tocsin.ports.folder import Listed
from tocsin.ports.ledger import LedgerError

ANSWERS_WITHIN = 5.0
"""Seconds for the incident folder to answer; then the ledger alone is asked."""
DRAWN_EVERY = 2.0
"""Seconds between two looks of --watch."""
STEP = 0.1
"""Seconds in which Ctrl-C is noticed."""
CLEAR = "\x1b[H\x1b[2J\x1b[3J"
"""Empties a terminal and starts again at its top."""


@click.command()
@click.option("--watch", is_flag=True, help="Show it anew every 2 s, until Ctrl-C.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@config_option
def command(watch: bool, form: str, config: Path | None) -> None:
    r"""Show the open incidents: who holds which role, when the next update is promised, what is wrong. It works beside
    the daemon and without it.

    \b
    Examples:
      tocsin status
      tocsin status --watch
      tocsin status --format json
    """
    if watch and form == "json":
        raise click.UsageError("--watch draws text; --format json prints one document")
    folder = folder_of(config)
    if watch:
        _watch(folder)
        return
    with suppress(KeyboardInterrupt):
        try:
            incidents, policy, troubles, unseen = asyncio.run(_open_incidents(folder, utc_now()))
        except LedgerError as fault:
            fail([f"the ledger cannot be used: {fault}"])
        for trouble in troubles if form == "json" else ():
            click.echo(trouble, err=True)
        if form == "json":
            json.dump(
                {"incidents": [incident_document(opened) for opened in incidents]},
                sys.stdout,
                ensure_ascii=False,
                indent=1,
            )
            click.echo()
        else:
            click.echo("\n".join(lines(incidents, policy, troubles, unseen, utc_now())))


def _watch(folder: Path) -> None:
    """Draw again and again until Ctrl-C. That only leaves a mark: raised as an exception it would be lost wherever
    Python may not raise one (a finalizer), and the watch would go on.
    """
    stopped: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _frame: stopped.append(number))
    while not stopped:
        _draw(folder)
        for _ in range(round(DRAWN_EVERY / STEP)):
            if not stopped:
                time.sleep(STEP)


def _draw(folder: Path) -> None:
    """One look of --watch. A ledger in trouble is told, and asked again."""
    now = utc_now()
    try:
        page = "\n".join(lines(*asyncio.run(_open_incidents(folder, now)), now))
    except LedgerError as trouble:
        page = f"the ledger cannot be used now: {trouble}"
    top = CLEAR if sys.stdout.isatty() else ""
    click.echo(f"{top}{now:%a %d %b %Y %H:%M:%S} UTC\n\n{page}")


async def _open_incidents(folder: Path, now: datetime) -> tuple[list[OpenIncident], Policy, list[str], str]:
    """The open incidents, the policy that counts, what is wrong with the whole, and what is said of an incident that no
    ledger knows. Raises LedgerError.
    """
    from tocsin.adapters.clock import SystemClock
    from tocsin.adapters.files.disk_threads import DiskThreads, in_time
    from tocsin.adapters.files.rights import closed, is_folder
    from tocsin.adapters.files.watched_folder import WatchedFolder
    from tocsin.adapters.ledger.lock import is_locked
    from tocsin.app.incidents.open_incidents import open_incidents
    from tocsin.cli.workspace import open_workspace

    troubles: list[str] = []
    async with open_workspace(folder, now, troubles.append) as (loaded, ledger):
        assert loaded.policy is not None
        assert loaded.settings is not None
        incidents = loaded.settings.incidents

        def look() -> tuple[str, Sequence[Listed] | str]:
            if why := closed(incidents):
                return why, f"the incident folder {incidents} {why}"
            return "", WatchedFolder(incidents, SystemClock()).scan() if is_folder(incidents) else ()

        hangs = f"the incident folder {incidents} does not answer; what follows is what the ledger knows"
        why, listing = await in_time(ANSWERS_WITHIN, DiskThreads("incident folder"), look) or ("", hangs)
        if isinstance(listing, str):
            troubles.append(listing)
        if why and ledger is None:
            fail([*troubles, "what is open cannot be told"])
        if not is_locked(loaded.ledger):
            troubles.append("no daemon seems to run: nobody is paged until tocsin run is started")
        unseen = "as its file says" if closed(loaded.ledger) else "not seen by the daemon yet"
        opened = await open_incidents(ledger, listing, incidents, loaded.policy, now)
        return opened, loaded.policy, troubles, unseen


def incident_document(opened: OpenIncident) -> dict[str, Any]:
    """An open incident as JSON (`docs/behaviour.md`)."""
    from tocsin.cli.check import problem_document
    from tocsin.text.times import iso_utc

    incident, state = opened.incident, opened.state
    return {
        "id": incident.id,
        "title": incident.title,
        "severity": incident.severity,
        "status": incident.status.value,
        "roles": {
            role.role: {"person": role.person, "accepted": iso_utc(role.accepted_at) if role.accepted_at else None}
            for role in state.roles
        },
        "next_update": iso_utc(state.next_update_at) if state.next_update_at else None,
        "problems": [problem_document(problem) for problem in opened.problems],
    }


def lines(
    incidents: Sequence[OpenIncident], policy: Policy, troubles: Sequence[str], unseen: str, now: datetime
) -> Iterator[str]:
    """Trouble first, then a block for each incident; `unseen` is said of one that no ledger knows."""
    for trouble in troubles:
        yield f"! {trouble}"
    if troubles:
        yield ""
    if not incidents:
        yield "no open incidents"
    for number, opened in enumerate(incidents):
        if number:
            yield ""
        yield from _block(opened, policy, unseen, now)


def _block(opened: OpenIncident, policy: Policy, unseen: str, now: datetime) -> Iterator[str]:
    from tocsin.text.times import clock, span
    from tocsin.wording.report.reason_text import waiting_text

    incident, state = opened.incident, opened.state
    mark = "DRILL " if incident.drill else ""
    yield f"{mark}{incident.severity.upper()} {incident.title}"
    if opened.went_back:
        yield f"  {incident.id}, resolved, but its file went back to an older content: nobody is paged while it is held"
        yield from (f"  ! {problem}" for problem in opened.problems)
        return
    begun = f"for {span(now - opened.since)}" if opened.since else unseen
    yield f"  {incident.id}, {incident.status.value}, {begun}"
    for role in state.roles:
        accepted = f"accepted {clock(role.accepted_at, 'UTC', now)}" if role.accepted_at else "not accepted"
        holder = f"{policy.person_name(role.person)}, {accepted}" if role.person else "nobody yet"
        yield f"  {policy.role_title(role.role):<20} {holder}"
    promise = state.next_update_at
    if promise:
        late = " (overdue)" if promise < now else ""
        yield f"  {'next update':<20} {clock(promise, 'UTC', now)}{late}"
    for word in state.first_words:
        latest = clock(word.leaves_at, "UTC", now) if word.leaves_at else ""
        yield f"  {policy.group_title(word.group):<20} not told yet: {waiting_text(word, latest)}"
    for problem in opened.problems:
        yield f"  ! {problem}"
