"""`tocsin pass`: hand an incident on to whoever is asked next."""

import asyncio
import os
import secrets
from pathlib import Path

import click

from tocsin.adapters.clock import WallClock
from tocsin.adapters.files.incident_writer import FileError, IncidentFiles
from tocsin.adapters.files.rights import closed
from tocsin.adapters.inbox.writer import InboxWriter
from tocsin.app.arrivals.link_answers import ACTED, REFUSED
from tocsin.app.incidents.asked_instead import asked_beside
from tocsin.app.incidents.histories import recorded_history
from tocsin.app.incidents.incident_meant import AmbiguousIncidentError, NamedIncidents
from tocsin.app.replies.answer_options import AnswerOptions, RoleState, options_of
from tocsin.cli.options import config_option, fail, folder_of, open_incident_argument, person_option, utc_now
from tocsin.cli.whole_ledger import acts_on, open_ledger
from tocsin.cli.workspace import Workspace, incident_named, need_answer, open_workspace
from tocsin.domain.arrival import ArrivalKind, CommandAnswerEntry
from tocsin.domain.facts import Answer
from tocsin.domain.policy import Policy
from tocsin.ports.inbox import InboxError
from tocsin.ports.ledger.ledger import ArrivalLedger, IncidentLedger, Ledger
from tocsin.ports.ledger.trouble import LedgerError
from tocsin.text.names import person_named, quotable
from tocsin.wording.language.language import ENGLISH

WAITS, LOOKS_EVERY = 5.0, 0.05
"""Seconds for which is waited until the daemon has judged it, and between two looks."""
NEXT_WITHIN = 1.0
"""Seconds until whoever is asked next is surely written down."""


@click.command()
@open_incident_argument
@person_option("--as", "person", required=True, help="Who passes: an id, full name or email.")
@config_option
def command(incident: str, person: str, config: Path | None) -> None:
    r"""Pass on what person P holds or is asked for in incident ID: whoever is next is asked at once. P can still accept
    later (tocsin ack).

    Nobody is asked next but by the daemon, so it must run; what it has made of it is printed. Until it has, nothing is
    passed on, and the exit status is 1.

    \b
    Examples:
      tocsin pass 2026-11-23-card --as bo
    """
    try:
        click.echo(asyncio.run(_pass(incident, person, folder_of(config))), err=True)
    except LedgerError as trouble:
        fail([f"the ledger cannot be used: {trouble}"])
    except (AmbiguousIncidentError, FileError, InboxError, ValueError) as trouble:
        fail([str(trouble)])


async def _pass(written: str, who: str, folder: Path) -> str:
    """What is true now. Raises what `command` tells."""
    async with open_workspace(open_ledger, folder, utc_now()) as workspace:
        unknown = (
            "no daemon has run on it, so nobody is asked"
            if workspace.access.absent
            else "so whom it asks is not known: to pass, answer a page"
        )
        ledger = workspace.need_ledger(f"{unknown}; nothing was noted")
        incidents, policy = workspace.settings.incidents, workspace.policy
        await need_answer(incidents, "nothing was noted; to pass, answer a page")
        person = person_named(who, policy)
        id_ = await incident_named(written, IncidentFiles(incidents), ledger)
        if why := closed(incidents, "written", os.W_OK):
            fail([f"the incident folder {incidents} {why}; to pass, answer a page"])
        await _need_daemon(workspace)
        facts, history = await recorded_history(ledger, id_)
        if history.incident is None:
            hint = await NamedIncidents(None, ledger).hint(id_)
            fail([f'the daemon knows no incident "{quotable(id_)}"{hint}; nothing was noted'])
        options = options_of(facts, history, person, utc_now())
        if not options.passes:
            fail([f"{_why_not(options, id_, policy)}; nothing was noted"])
        entry = CommandAnswerEntry(secrets.token_hex(10), id_, history.episode, person, Answer.PASS)
        await InboxWriter(workspace.settings.inbox, WallClock()).leave(entry)
        await _judged(ledger, entry)
        return f"{id_}: {_passed_on(options, policy)}. {await _asked_next(ledger, entry, policy)}"


async def _need_daemon(workspace: Workspace[Ledger]) -> None:
    """End with 1 where no daemon is healthy: it alone asks whoever is next."""
    if not await acts_on(workspace.settings, workspace.ledger):
        fail(
            [
                "no healthy daemon runs here, so nobody would be asked next: nothing was noted",
                "call somebody, and start it (tocsin run; systemctl start tocsin) or see in its log why it is not well",
            ]
        )


def _why_not(options: AnswerOptions, incident: str, policy: Policy) -> str:
    name, states = policy.person_name(options.person), {role.state for role in options.roles}
    if options.history.resolved_at is not None:
        return f"{incident} is resolved; there is nothing to pass on"
    if RoleState.PASSED in states:
        return f"{name} has passed on {incident} already"
    return f"{name} is not asked for anything in {incident} and holds no role of it"


async def _judged(ledger: ArrivalLedger, entry: CommandAnswerEntry) -> None:
    """Wait until the daemon has acted on it; else say what became of it, and end with 1."""
    for _ in range(round(WAITS / LOOKS_EVERY)):
        if judgement := await ledger.outcome(ArrivalKind.ANSWER, entry.ref):
            break
        await asyncio.sleep(LOOKS_EVERY)
    else:
        fail(
            [
                f"NOT yet passed on: the daemon has not confirmed it within {WAITS:.0f} s. It counts as soon as the "
                "daemon reads it (its log says what keeps it); call somebody meanwhile"
            ]
        )
    if judgement.result == REFUSED:
        fail([f"{entry.incident}: not passed on. {judgement.words}"])
    if judgement.result != ACTED:
        fail([f"{entry.incident}: somebody was quicker, and there is nothing to pass on any more (tocsin status)"])


def _passed_on(options: AnswerOptions, policy: Policy) -> str:
    open_to = (RoleState.HELD, RoleState.OPEN)
    titles = [policy.role_title(role.role) for role in options.roles if role.role and role.state in open_to]
    return f"{policy.person_name(options.person)} has passed on {ENGLISH.listed(titles) or 'it'}"


async def _asked_next(ledger: IncidentLedger, entry: CommandAnswerEntry, policy: Policy) -> str:
    """Who is asked in that person's place, once the daemon has written it down."""
    for _ in range(round(NEXT_WITHIN / LOOKS_EVERY)):
        _, history = await recorded_history(ledger, entry.incident)
        if asked := asked_beside(history, entry.person):
            return f"{ENGLISH.listed([policy.person_name(name) for name in asked])} {_be(len(asked))} asked now."
        await asyncio.sleep(LOOKS_EVERY)
    return "Nobody else is asked now: call somebody, or give it to somebody (tocsin assign)."


def _be(number: int) -> str:
    return "is" if number == 1 else "are"
