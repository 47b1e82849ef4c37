"""`tocsin doctor`: will it arrive? Live checks of providers, records and this machine, each with its cure."""

import asyncio
import ipaddress
import json
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from tocsin.app.doctor.check import Diagnosis
from tocsin.cli.judging import ready_child
from tocsin.cli.ledger_access import LedgerAccess
from tocsin.cli.options import config_option, folder_of
from tocsin.cli.whole_ledger import open_ledger, trouble_of_writing
from tocsin.formats.settings.ledger_address import LedgerAddress
from tocsin.ports.ledger.ledger import Ledger

CLEAR = "\r\x1b[K"
"""Empties a line of a terminal."""


class ResolverAddress(click.ParamType[tuple[str, int]]):
    """An address of a resolver, with a port or without."""

    name = "address"

    def convert(
        self, value: str | tuple[str, int], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int]:
        """The address and the port."""
        if not isinstance(value, str):
            return value
        host, colon, port = value.rpartition(":")
        if value.startswith("[") and value.endswith("]"):
            host, colon, port = value, ":", "53"
        elif not colon or (value.count(":") > 1 and not host.endswith("]")):
            host, port = value, "53"
        host = host.strip("[]").replace("localhost", "127.0.0.1")
        try:
            ipaddress.ip_address(host)
            number = int(port)
        except ValueError:
            number = 0
        if not 0 < number < 65536:
            self.fail(f'"{value}" is no address of a resolver; write it such as 9.9.9.9 or 127.0.0.1:5353', param, ctx)
        return host, number


@click.command()
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option(
    "--resolver",
    type=ResolverAddress(),
    metavar="HOST[:PORT]",
    help="Ask this resolver for the records of the sender's domain, not the machine's own.",
)
@click.option("--selector", default="", metavar="NAME", help="The selector of the DKIM key (s= in DKIM-Signature).")
@config_option
def command(form: str, resolver: tuple[str, int] | None, selector: str, config: Path | None) -> None:
    r"""Will it arrive? Look at the mail server (TLS, certificate, login, sender), at what DNS says of the sender's
    domain (SPF, DKIM, DMARC), at the SMS account (balance, sender, registration, countries), at folders, disk, clock
    and ledger, and when each person's addresses last proved to work. Nothing is sent to anybody. What fails is told
    with its cure, within 15 s; exit status 1 if anything does. Without the daemon's secrets logins are not tried.

    \b
    Examples:
      tocsin doctor
      CREDENTIALS_DIRECTORY=/etc/credstore tocsin doctor     as root: with secrets
      tocsin doctor --resolver 9.9.9.9 --selector s1
      tocsin doctor --format json
    """
    from tocsin.adapters.clock import SystemClock
    from tocsin.cli.output.doctor_lines import WIDEST, WIDTH, document, lines
    from tocsin.cli.output.terminal.show import columns, show

    clock = SystemClock()
    host, port = resolver or ("", 53)
    try:
        diagnosis = asyncio.run(_diagnose(folder_of(config), host, port, selector))
    finally:
        show_waiting(())
    if form == "json":
        json.dump(document(diagnosis), sys.stdout, ensure_ascii=False)
        click.echo()
    else:
        show(lines(diagnosis, clock.now(), columns(WIDTH, WIDEST)))
    sys.exit(0 if diagnosis.ok else 1)


def show_waiting(titles: Sequence[str]) -> None:
    """What is still waited for, on a terminal only: one line on stderr, gone when there is nothing."""
    from tocsin.cli.output.terminal.show import width_of_progress

    if most := width_of_progress():
        words = f"waiting for {', '.join(titles)}"[: most - 1] if titles else ""
        click.echo(f"{CLEAR}{words}", err=True, nl=False)


async def _diagnose(folder: Path, host: str, port: int, selector: str) -> Diagnosis:
    """Everything that is to be seen from here."""
    from tocsin.adapters.clock import SystemClock
    from tocsin.adapters.files.disk_threads import FOLDERS_WITHIN, DiskThreads, in_time
    from tocsin.app.configuration.judge import judge_config, with_ledger
    from tocsin.app.configuration.load import read_files, unanswered
    from tocsin.app.doctor.config import examine_config, in_force
    from tocsin.app.doctor.examine import examine
    from tocsin.app.doctor.people import proven_addresses
    from tocsin.app.wiring.doctor import DoctorOptions, OpenedInstallation, make_examinations
    from tocsin.ports.ledger.trouble import LedgerError

    clock, work = SystemClock(), ready_child()
    now = clock.now()
    show_waiting(["the config"])
    threads = DiskThreads("config")
    files = await in_time(FOLDERS_WITHIN, threads, read_files, folder) or unanswered(folder)
    loaded = judge_config(work, files, folder, now, os.environ)
    loaded = await in_time(FOLDERS_WITHIN, threads, with_ledger, loaded) or loaded
    access, trouble = await _open_ledger(loaded.ledger)
    if loaded.ledger.file is None and access.is_reached and not access.newer:
        trouble = trouble_of_writing(loaded) or trouble
    ledger = access.ledger
    try:
        good, limits = await in_force(loaded, ledger, folder, now, os.environ, work)
        checks = examine_config(loaded, good, limits, folder)
        if good is None:
            return Diagnosis([("the config", checks)], [])
        assert good.settings is not None
        name = good.settings.node or socket.gethostname()
        opened = OpenedInstallation(good, folder, ledger, trouble, access.machines, name)
        found = await examine(make_examinations(opened, DoctorOptions(host, port, selector), clock), show_waiting)
        try:
            proofs = await ledger.proofs() if ledger else None
        except LedgerError:  # told by the check of the ledger
            proofs = None
        assert good.policy is not None
        people = proven_addresses(good.policy, proofs or {})
        return Diagnosis([("the config", checks), *found], people, proofs is not None)
    finally:
        if ledger:
            await ledger.close()


async def _open_ledger(address: LedgerAddress) -> tuple[LedgerAccess[Ledger], str]:
    """The ledger, if there is one that can be opened, or why it cannot. It is not waited for when its disk hangs."""
    from tocsin.adapters.files.disk_threads import FOLDERS_WITHIN, DiskThreads, in_time
    from tocsin.app.doctor.machine import ledger_label

    trouble: list[str] = []
    if address.file is None:
        access = await open_ledger(address, trouble.append)
        return access, access.trouble or access.newer

    def look() -> LedgerAccess[Ledger]:
        return asyncio.run(open_ledger(address, trouble.append))

    found = await in_time(FOLDERS_WITHIN, DiskThreads("ledger"), look)
    hangs = f"the ledger {ledger_label(address)} does not answer within {FOLDERS_WITHIN:.0f} s; see to its disk"
    return found or LedgerAccess(), " ".join(trouble) if found else hangs
