"""`tocsin sign-out`: a person, or everybody, is signed out of the pages in every browser (P8)."""

import asyncio
import secrets
from contextlib import suppress
from functools import partial
from pathlib import Path

import click

from tocsin.cli.options import completed, config_option, fail, folder_of, utc_now


@click.command()
@click.argument("person", metavar="PERSON", required=False, default="", shell_complete=completed("people"))
@click.option("--all", "everybody", is_flag=True, help="Everybody, instead of one person.")
@config_option
def command(person: str, everybody: bool, config: Path | None) -> None:
    r"""Sign PERSON (an id, full name or email) out of the pages, in every browser: a phone was lost, somebody else may
    have seen a code, or the web side was broken into (then `--all`, and new keys). They can sign in again by a new
    code; links, SMS and commands are not concerned.

    \b
    Examples:
      tocsin sign-out ana
      tocsin sign-out --all
    """
    from tocsin.ports.inbox import InboxError
    from tocsin.ports.ledger.trouble import LedgerError

    if bool(person) is everybody:
        raise click.UsageError("name a person, or give --all")
    try:
        click.echo(asyncio.run(_sign_out(person, folder_of(config))))
    except LedgerError as trouble:
        fail([f"the ledger cannot be used: {trouble}"])
    except InboxError as trouble:
        fail([str(trouble)])


async def _sign_out(written: str, folder: Path) -> str:
    """What is true now; of everybody where nobody is named. Whoever left the config is named by their id. Raises
    LedgerError and InboxError.
    """
    from tocsin.app.state.open_sessions import OpenSessions
    from tocsin.cli.whole_ledger import NOT_YET, Left, acts_on, leave, open_ledger
    from tocsin.cli.workspace import open_workspace
    from tocsin.domain.arrival import SignOutEntry
    from tocsin.text.names import person_named, quotable
    from tocsin.text.scalars import closest

    async with open_workspace(open_ledger, folder, utc_now()) as workspace:
        ledger = workspace.need_ledger("who is signed in is kept there")
        people, person = workspace.policy.people, written
        if written:
            with suppress(ValueError):
                person = person_named(written, workspace.policy)

        async def begun() -> list[str]:
            return OpenSessions(await ledger.sessions()).of(person=person)

        there = set(await begun())
        if not there:
            if person and person not in people:
                fail([f'"{quotable(person)}" is nobody of the config, and signed in nowhere{closest(person, people)}'])
            return f"{person} is signed in nowhere" if person else "nobody is signed in"
        who = person or "everybody"

        async def over() -> bool:
            return there.isdisjoint(await begun())

        entry = SignOutEntry(secrets.token_hex(10), person)
        match await leave(entry, workspace.settings.inbox, partial(acts_on, workspace.settings, ledger), over):
            case Left.NO_DAEMON:
                return f"{who} is signed out once the daemon runs: no healthy one does now, so nobody acts either"
            case Left.WAITS:
                fail([NOT_YET])
        browsers = "browser" if len(there) == 1 else "browsers"
        return f"{who} is signed out, in {len(there)} {browsers}"
