"""`tocsin resubscribe`: a plain address that unsubscribed is told again."""

import asyncio
import secrets
from functools import partial
from pathlib import Path

import click

from tocsin.cli.options import config_option, fail, folder_of, utc_now


@click.command()
@click.argument("address", metavar="ADDRESS")
@config_option
def command(address: str, config: Path | None) -> None:
    r"""Tell ADDRESS again of what its external groups hear, after it was unsubscribed by one click. Ask its reader
    first: they did not want it any more. Which addresses are off, and since when, is shown by `tocsin check`.

    A phone number that answered STOP is no matter of ours: only a START from it lifts that.

    \b
    Examples:
      tocsin resubscribe press@example.com
    """
    from tocsin.ports.inbox import InboxError
    from tocsin.ports.ledger.trouble import LedgerError

    try:
        click.echo(asyncio.run(_resubscribe(address.strip(), folder_of(config))))
    except LedgerError as trouble:
        fail([f"the ledger cannot be used: {trouble}"])
    except InboxError as trouble:
        fail([str(trouble)])


async def _resubscribe(address: str, folder: Path) -> str:
    """What is true now. Raises LedgerError and InboxError."""
    from tocsin.app.state.opt_outs import OptOuts
    from tocsin.cli.whole_ledger import NOT_YET, Left, acts_on, leave, open_ledger
    from tocsin.cli.workspace import open_workspace
    from tocsin.domain.arrival import ResubscribeEntry
    from tocsin.domain.people import Channel
    from tocsin.text.names import quotable
    from tocsin.text.scalars import closest

    async with open_workspace(open_ledger, folder, utc_now()) as workspace:
        reader = workspace.need_ledger("who unsubscribed is kept there")
        opt_outs = OptOuts(await reader.opt_outs())
        number = next((one for one in opt_outs.all() if one.via is Channel.SMS and _same(one.address, address)), None)
        if number:
            since = f"{number.at:%Y-%m-%d %H:%M} UTC"
            fail([f"{number.address} answered STOP on {since}; only a START sent from that number lifts it"])
        known = opt_outs.of(Channel.EMAIL, address)
        if known is None:
            off = [one.address for one in opt_outs.all() if one.via is Channel.EMAIL]
            others = closest(address[:80], off) or ("" if off else "; no address is")
            fail([f'"{quotable(address)}" is not unsubscribed{others}'])
        told = known.address

        async def is_told() -> bool:
            return OptOuts(await reader.opt_outs()).of(Channel.EMAIL, told) is None

        entry = ResubscribeEntry(secrets.token_hex(10), told)
        match await leave(entry, workspace.settings.inbox, partial(acts_on, workspace.settings, reader), is_told):
            case Left.NO_DAEMON:
                return f"{told} is told again once the daemon runs: no healthy one does now"
            case Left.WAITS:
                fail([NOT_YET])
        named = [group.id for group in workspace.policy.stakeholders.values() if told in group.emails]
        where = f"what {' and '.join(named)} hears" if named else "nothing yet: no group of the config names it"
        return f"{told} is told again: {where}"


def _same(number: str, written: str) -> bool:
    """Whether somebody means this number, however they group its digits."""
    return number == "+" + "".join(letter for letter in written if letter.isdecimal())
