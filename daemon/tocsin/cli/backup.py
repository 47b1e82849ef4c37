"""`tocsin backup`: a copy of the ledger while the daemon runs, looked at before it counts."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from tocsin.cli.judging import bounded_child
from tocsin.cli.options import config_option, fail, folder_of, utc_now
from tocsin.formats.settings.ledger_address import LedgerAddress, is_address

PERCENT = 100
MEGABYTE = 1e6


@click.command()
@click.argument("target", metavar="FILE|postgresql://…")
@click.option("--overwrite", is_flag=True, help="Replace the backup that is there by that name.")
@config_option
def command(target: str, overwrite: bool, config: Path | None) -> None:
    r"""Copy the ledger to FILE, while the daemon runs or not. No page waits for it. The copy is of one instant, is for
    its owner's eyes alone, and has its name only once it was looked at whole: that it is sound, and holds what the
    ledger holds. It is a ledger itself; docs/upkeep.md says how to go back to it, and what else belongs to a backup.

    The address of an empty PostgreSQL database instead moves the whole ledger there, all of it or nothing, while the
    daemon is stopped. A start with `ledger: postgresql://…` then goes on where it was. The password: by
    $TOCSIN_LEDGER, the credential tocsin_ledger, $PGPASSWORD, or a passfile.

    \b
    Examples:
      tocsin backup /backup/tocsin-$(date +%F).db
      tocsin backup --overwrite /backup/tocsin.db
      tocsin backup postgresql://tocsin@db.example.com/tocsin
    """
    from tocsin.app.configuration.judge import JUDGED_SOON, load
    from tocsin.ports.ledger.trouble import LedgerError

    loaded = load(bounded_child(), folder_of(config), utc_now(), os.environ, JUDGED_SOON)
    file = loaded.ledger.file
    if file is None:
        fail([_no_file(loaded.ledger, os.environ)])
    try:
        if is_address(target) or target.startswith(("postgresql:", "postgres:")):
            click.echo(_move(file, target, _password(os.environ)))
            return
        lines = list(_back_up(file, Path(target), overwrite=overwrite))
    except LedgerError as trouble:
        fail([str(trouble)])
    click.echo(lines[0])
    for line in lines[1:]:
        click.echo(line, err=True)


def _back_up(ledger: Path, target: Path, *, overwrite: bool) -> Iterator[str]:
    """What was copied; then what else belongs to it. Raises LedgerError."""
    from tocsin.adapters.files.rights import closed, is_file
    from tocsin.adapters.ledger.sqlite.backup import back_up
    from tocsin.cli.output.terminal.show import progress
    from tocsin.ports.ledger.trouble import LedgerError

    if why := closed(ledger):
        raise LedgerError(f"the ledger {ledger} {why}")
    if not is_file(ledger):
        raise LedgerError(f"there is no ledger at {ledger} yet; tocsin run makes it")
    with progress("copying the ledger, in percent", PERCENT) as work:
        copy = back_up(ledger, target, lambda done, of: work.tell(done * PERCENT // max(of, 1)), overwrite=overwrite)
    incidents, messages = copy.rows.get("incidents", 0), copy.rows.get("notifications", 0)
    holds = f"{_many(incidents, 'incident')}, {_many(messages, 'message')}"
    yield f"{target}: {copy.octets / MEGABYTE:.1f} MB, {holds}, schema {copy.schema}; sound, and as the ledger is"
    key = ledger.with_name(f"{ledger.name}.key")
    if is_file(key):
        yield (
            f"keep a copy of {key} too, apart from this one: without it the kept config counts only in part at a "
            "start; config, incident files and secrets are not in the ledger either (docs/upkeep.md)"
        )
    if target.stat().st_dev == ledger.stat().st_dev:
        yield f"{target} lies on the disk of the ledger; carry it to another machine"


def _no_file(ledger: LedgerAddress, environ: Mapping[str, str]) -> str:
    """Why a ledger that is no file is not copied. Who moves one may have the new address in the environment already."""
    why = f"{ledger} is a database on a server, which pg_dump copies: docs/upkeep.md"
    if is_address(environ.get("TOCSIN_LEDGER", "")):
        why += "; TOCSIN_LEDGER names it: unset that if you mean the file that tocsin.yaml names"
    return why


def _server(address: str) -> LedgerAddress:
    """A database on a server. Raises ValueError, with words that repeat no password."""
    from tocsin.formats.settings.ledger_address import read_address

    place = read_address(address)
    if place.file is not None:
        raise ValueError(f"a copy is named by its path alone, {place.file}")
    return place


def _password(environ: Mapping[str, str]) -> str:
    """The password for an address that is given without one, where a daemon would find it: in TOCSIN_LEDGER, else in
    the credential, where that is no address. Empty: there is none.
    """
    from tocsin.adapters.files.config_snapshot import credentials

    texts, _ = credentials(environ.get("CREDENTIALS_DIRECTORY"))
    given = environ.get("TOCSIN_LEDGER") or texts.get("tocsin_ledger", "")
    return "" if is_address(given) else given.strip()


def _move(ledger: Path, target: str, password: str) -> str:
    """Move a ledger into a database on a server, entered by `password` where the address has none; what is there now.
    Raises LedgerError.
    """
    from tocsin.adapters.files.rights import closed, is_file
    from tocsin.adapters.ledger.postgresql.address import ServerAddress
    from tocsin.adapters.ledger.postgresql.filling import fill
    from tocsin.adapters.ledger.sqlite.lock import LedgerLockedError, Lock
    from tocsin.adapters.ledger.sqlite.opening import open_existing
    from tocsin.cli.output.terminal.show import progress
    from tocsin.ports.ledger.trouble import LedgerError

    try:
        place = _server(target)
        lock = Lock(ledger) if is_file(ledger) else None
    except ValueError as fault:
        raise LedgerError(f"{fault}; nothing was written") from None
    except LedgerLockedError as other:
        raise LedgerError(f"{other}: what it writes meanwhile would be missing there; nothing was written") from None
    except OSError as fault:
        why = closed(ledger.parent, "written", os.W_OK) or (fault.strerror or str(fault)).lower()
        raise LedgerError(f"the ledger {ledger} {why}; nothing was written") from None
    try:
        opened = open_existing(ledger)
        if opened is None:
            raise LedgerError(f"there is no ledger at {ledger} yet; nothing was written")
        with progress("moving the ledger, in percent", PERCENT) as work:
            rows = fill(
                ServerAddress(place.server, place.password or password or None),
                opened.engine,
                lambda done, of: work.tell(done * PERCENT // max(of, 1)),
            )
        opened.engine.dispose()
    finally:
        if lock is not None:
            lock.release()
    holds = f"{_many(rows['incidents'], 'incident')}, {_many(rows['notifications'], 'message')}"
    return f"{place} holds {holds}, as {ledger} does; now write it into tocsin.yaml: ledger: {place.written}"


def _many(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
