"""`tocsin prune`: closed incidents go from the ledger."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from datetime import datetime
from pathlib import Path

import click

from tocsin.adapters.clock import WallClock
from tocsin.adapters.files import watch_mark
from tocsin.adapters.files.rights import closed, owner_beside_root, user_name
from tocsin.adapters.inbox.writer import InboxWriter
from tocsin.adapters.ledger.ledger import SqlLedger
from tocsin.adapters.ledger.sqlite.keeping import FileStore
from tocsin.adapters.ledger.sqlite.ledger_file import stay_open_to_readers
from tocsin.adapters.ledger.sqlite.lock import LedgerLockedError, Lock
from tocsin.adapters.ledger.sqlite.opening import open_alone
from tocsin.adapters.ledger.upkeep import SqlUpkeep
from tocsin.app.engine.pruning import Named, Pruning, Unattended
from tocsin.cli.options import config_option, fail, folder_of, instant_option, utc_now
from tocsin.cli.output.erased_lines import erased_lines, left_out_lines
from tocsin.cli.output.terminal.show import progress, show
from tocsin.cli.whole_ledger import acts_on, open_ledger
from tocsin.cli.workspace import Workspace, open_workspace, warn
from tocsin.domain.arrival import ArrivalKind, PruneEntry
from tocsin.domain.notification import NOBODY
from tocsin.domain.people import Person
from tocsin.formats.inbox.entries import NAMES_MOST
from tocsin.formats.settings.types import KEEPS_AT_LEAST
from tocsin.ports.inbox import InboxError
from tocsin.ports.ledger.ledger import Ledger
from tocsin.ports.ledger.trouble import LedgerError
from tocsin.ports.ledger.upkeep import Erasure
from tocsin.text.times import utc

LOOKS_EVERY = 0.5
"""Seconds between two looks at how far the daemon is."""


@click.command()
@instant_option(
    "--before", ago=True, help="Which were closed before then; a span (400d) counts back. Default: as `keep` has it."
)
@click.option("--person", metavar="P", help="Forget this person in all closed incidents, which stay.")
@click.option("--also", metavar="WORD", multiple=True, help="With --person: a former name or address of theirs.")
@click.option("--yes", is_flag=True, help="With --person: also one who is in the config.")
@click.option(
    "--dry-run", is_flag=True, help="Only print the ids of those that would go; with --person the lines that change."
)
@config_option
def command(
    before: datetime | None, person: str | None, also: tuple[str, ...], yes: bool, dry_run: bool, config: Path | None
) -> None:
    r"""Have closed incidents go from the ledger: what happened in them, their messages, words and answers. Their ids
    stay, with when they were closed and the digests of their files, so that an old file that is put back pages nobody.
    Open incidents stay, and so does what was closed in the last seven days. Incident files and reviews stay as well.

    The daemon does it, a little at a time and never while a page waits to leave, and with `keep` in tocsin.yaml once a
    day by itself. This waits for it; Ctrl-C ends only the waiting. Where no daemon runs this does it.

    With --person closed incidents stay, and that person goes from them: where a person is meant, what they wrote, what
    was written to them; and out of what others wrote, where a full name, an address or @ana stands, and what --also
    says. Incident files and reviews are for you to change.

    \b
    Examples:
      tocsin prune --before 400d --dry-run
      tocsin prune --person ana --also ana@old.example.com --dry-run
      tocsin prune --before 2025-01-01T00:00:00Z
    """
    if person and before:
        raise click.UsageError("--person is about all closed incidents; leave --before out")
    if also and not person:
        raise click.UsageError("--also is another name of somebody; say whose, by --person")
    try:
        asyncio.run(
            _erase(person, also, folder_of(config), yes=yes, dry_run=dry_run)
            if person
            else _prune(before, folder_of(config), dry_run=dry_run)
        )
    except LedgerError as trouble:
        fail([f"the ledger cannot be used: {trouble}"])
    except InboxError as trouble:
        fail([str(trouble)])


async def _prune(before: datetime | None, folder: Path, *, dry_run: bool) -> None:
    """Raises LedgerError and InboxError."""
    now = utc_now()
    async with open_workspace(open_ledger, folder, now) as workspace:
        before = _instant(before, workspace, now)
        ledger = workspace.need_ledger("what is to go is kept there")
        assert isinstance(ledger, SqlLedger)
        async with aclosing(Pruning(SqlUpkeep(ledger.store), Unattended()).due(before)) as found:
            due = [incident async for incident in found]
        if dry_run:
            for incident in due:
                click.echo(incident)
            warn(f"{_incidents(len(due))} would go, closed before {utc(before)}; nothing was done")
            return
        if await acts_on(workspace.settings, workspace.ledger):
            count = await _ask_daemon(workspace, PruneEntry(secrets.token_hex(10), before), len(due))
        else:
            count = await _prune_alone(workspace, before, len(due), now)
        click.echo(f"{_incidents(count)} pruned, closed before {utc(before)}")


async def _erase(person: str, also: tuple[str, ...], folder: Path, *, yes: bool, dry_run: bool) -> None:
    """Raises LedgerError and InboxError."""
    now = utc_now()
    async with open_workspace(open_ledger, folder, now) as workspace:
        ledger = workspace.need_ledger("what is to be forgotten is kept there")
        assert isinstance(ledger, SqlLedger)
        known = workspace.policy.people.get(person)
        if known and not (yes or dry_run):
            fail([f"{person} is in the config, and would be written down again; take them out, or say --yes"])
        erasure = _erasure(person, also, known)
        count, left_out = 0, list[Named]()
        if not dry_run:
            count = await _forget(erasure, workspace, now)
            click.echo(f"{person} is erased from {_incidents(count)}")
        async for named in Pruning(SqlUpkeep(ledger.store), Unattended()).survey(erasure):
            if dry_run and named.left_out is None:
                show(erased_lines(named))
                count += named.incident not in {"", NOBODY}
            else:
                left_out.append(named)
        if dry_run:
            warn(f"{_incidents(count)} would change; nothing was done")
        for line in (*left_out_lines(left_out, person), *_not_looked_for(known, erasure)):
            warn(line)
        for line in await _left_over(ledger, workspace, erasure.words):
            warn(line)


def _erasure(person: str, also: tuple[str, ...], known: Person | None) -> Erasure:
    """Who is meant by it. A name of one word may be any word, so it is looked for in texts only if that is said."""
    own: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    if known:
        whole = " " in known.name
        own = (known.name if whole else "", known.email or "", known.phone or "")
        names = () if whole or known.name == person else (known.name,)
    words = tuple(dict.fromkeys(filter(None, map(str.strip, (*also, *own)))))
    if known is None and not words:
        fail([f"{person} is not in the config: say their names and addresses, by --also for each"])
    if len(words) > NAMES_MOST:
        fail([f"--also takes {NAMES_MOST} names and addresses at the most; say it again for the others"])
    return Erasure(person, words, names)


def _not_looked_for(known: Person | None, erasure: Erasure) -> Iterator[str]:
    """Which name of theirs may still stand in texts."""
    if known and " " not in known.name and known.name not in erasure.words:
        why = "is one word, so it was looked for where a person is meant, but not in what others wrote"
        yield f"{known.name} {why}; for that too: --also {known.name}"


async def _forget(erasure: Erasure, workspace: Workspace[Ledger], now: datetime) -> int:
    """In how many incidents they were. Raises LedgerError and InboxError."""
    if await acts_on(workspace.settings, workspace.ledger):
        entry = PruneEntry(secrets.token_hex(10), now, erasure.person, erasure.words, erasure.names)
        return await _ask_daemon(workspace, entry, None)
    async with _own_store(_own_file(workspace)) as store:
        return await Pruning(SqlUpkeep(store), Unattended()).erase(erasure)


async def _left_over(ledger: Ledger, workspace: Workspace[Ledger], words: tuple[str, ...]) -> list[str]:
    """Where the person still is, which is for others to change."""
    names = {word.casefold() for word in words}
    stopped = [one.address for one in await ledger.opt_outs() if one.address.casefold() in names]
    settings = workspace.settings
    places = f"{settings.incidents}, {settings.reviews}, the config's history, logs and older backups"
    lines = [f"{places} are for you to change"]
    if stopped:
        lines.append(f"that {' and '.join(stopped)} wants no messages is still known: it is what keeps us from sending")
    return lines


def _own_file(workspace: Workspace[Ledger]) -> Path:
    """The ledger's file, where this process may write it."""
    path = workspace.loaded.ledger.file
    if path is None:
        fail(["only the machine that leads prunes a database on a server, and none that is healthy does"])
    if owner := owner_beside_root(path.parent):
        fail([f"{path.parent} belongs to {owner}: runuser -u {owner} -- tocsin prune"])
    return path


def _instant(before: datetime | None, workspace: Workspace[Ledger], now: datetime) -> datetime:
    """Before which instant, of which an incident that was closed lately is never."""
    keep = workspace.settings.keep
    if before is None and keep is None:
        fail(["say what is to go: --before 400d; or for good: keep: 400d in tocsin.yaml"])
    wanted = before if before is not None else now - (keep or KEEPS_AT_LEAST)
    if wanted > now - KEEPS_AT_LEAST:
        warn(f"what was closed in the last {KEEPS_AT_LEAST.days} days stays: its codes and links still count")
    return min(wanted, now - KEEPS_AT_LEAST)


async def _ask_daemon(workspace: Workspace[Ledger], entry: PruneEntry, most: int | None) -> int:
    """Leave the order, and wait until it was followed; how many have gone. Raises LedgerError and InboxError."""
    ledger = workspace.need_ledger("it is looked at there")
    _need_right(workspace.settings.incidents / watch_mark.NAME)
    gone, inbox = len(await ledger.pruned_digests()), InboxWriter(workspace.settings.inbox, WallClock())
    await inbox.leave(entry)
    with progress("pruning", most) as work:
        while (judged := await ledger.outcome(ArrivalKind.PRUNE, entry.ref)) is None:
            await asyncio.sleep(LOOKS_EVERY)
            if not await acts_on(workspace.settings, workspace.ledger):
                fail(["the daemon is not healthy any more: it goes on with it once it is; see its log"])
            if not (await inbox.waits(entry.kind, entry.ref) or await ledger.has_arrived(ArrivalKind.PRUNE, entry.ref)):
                fail(["the daemon refused the order; the operators were told why, and its log has it"])
            work.tell(len(await ledger.pruned_digests()) - gone)
    if not judged.words.isdecimal():
        fail([judged.words or f"the daemon did not do it ({judged.result}); see its log"])
    return int(judged.words)


def _need_right(mark: Path) -> None:
    """End with 1 where the daemon would refuse the order. Whose its mark is, it runs as."""
    try:
        owner = mark.lstat().st_uid
    except OSError:  # it was healthy a moment ago: it says itself what it thinks of the order
        return
    if os.geteuid() not in {0, owner}:
        fail([f"only root and the daemon's own user, {user_name(owner)}, may prune the ledger; nothing was done"])


async def _prune_alone(workspace: Workspace[Ledger], before: datetime, most: int, now: datetime) -> int:
    """Prune where no daemon works; how many have gone. Raises LedgerError."""
    path = _own_file(workspace)
    if most == 0:
        return 0
    async with _own_store(path) as store:
        with progress("pruning") as _:
            return await Pruning(SqlUpkeep(store), Unattended()).prune(before, now)


@asynccontextmanager
async def _own_store(path: Path) -> AsyncIterator[FileStore]:
    """The ledger, for this process alone. Raises LedgerError."""
    try:
        lock = Lock(path)
    except LedgerLockedError as other:
        fail([f"{other}: it is there, but not healthy, so it prunes nothing now"])
    except OSError as fault:
        fail([f"the ledger {path} {closed(path.parent, 'written') or fault.strerror}"])
    try:
        store = FileStore(open_alone(path))
        try:
            yield store
        finally:
            await store.close()
            stay_open_to_readers(path)
    finally:
        lock.release()


def _incidents(number: int) -> str:
    return f"{number} incident{'s' * (number != 1)}"
