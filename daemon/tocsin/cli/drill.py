"""`tocsin drill`: an exercise through the real channels, and a report at its end."""

import asyncio
import signal
import sys
from datetime import datetime, timedelta
from pathlib import Path

import click

from tocsin.app.incidents.drill import Drill, DrillState
from tocsin.cli.options import completed, config_option, fail, folder_of, span_option, utc_now
from tocsin.cli.whole_ledger import open_ledger
from tocsin.cli.workspace import Workspace, nobody_watches, open_workspace
from tocsin.domain.incident import Incident, Status
from tocsin.domain.policy import Policy
from tocsin.ports.ledger.ledger import IncidentLedger, Ledger
from tocsin.ports.ledger.trouble import LedgerError

TITLE = "An exercise, nothing is broken"
ENDED = "The drill is over. Thank you."
BY = "tocsin drill"


@click.command()
@click.argument("severity", shell_complete=completed("severities"))
@click.option(
    "--service",
    "services",
    multiple=True,
    metavar="X",
    help="An affected service; may be given again.",
    shell_complete=completed("services"),
)
@click.option("--title", default=TITLE, show_default=True, help="What the messages say beside DRILL.")
@span_option("--for", "span", default="15m", show_default=True, help="When it ends at the latest.")
@click.option("--yes", is_flag=True, help="Page people without asking first.")
@config_option
def command(
    severity: str, services: tuple[str, ...], title: str, span: timedelta, yes: bool, config: Path | None
) -> None:
    r"""Page whoever would be paged for SEVERITY now, over the real channels, marked DRILL in every message, and report
    who got what when, who answered, and which addresses failed.

    It ends when everybody needed has answered, after --for, or by Ctrl-C. External stakeholders hear nothing. Exit
    status 1 when a page reached nobody or an address failed.

    \b
    Examples:
      tocsin drill sev1
      tocsin drill sev2 --service checkout --for 5m
      tocsin drill sev1 --yes           from a timer, without a terminal
    """
    from tocsin.text.names import service_named, severity_named

    async def run() -> bool:
        async with open_workspace(open_ledger, folder_of(config), utc_now()) as workspace:
            policy = workspace.policy
            declared = _declared(
                title,
                severity_named(severity, policy),
                tuple(dict.fromkeys(service_named(name, policy) for name in services)),
            )
            running = _with_daemon(workspace)
            _confirm(declared, policy, yes)
            return await _run_drill(declared, policy, running, workspace.settings.incidents, span)

    from tocsin.adapters.files.incident_writer import FileError
    from tocsin.app.incidents.commands import EditRefusedError

    try:
        good = asyncio.run(run())
    except (EditRefusedError, FileError, ValueError) as refused:
        fail([str(refused)])
    except LedgerError as trouble:
        fail([f"the ledger cannot be used: {trouble}"])
    sys.exit(0 if good else 1)


def _declared(title: str, severity: str, services: tuple[str, ...]) -> Incident:
    from tocsin.text.cleaning import clean, one_line

    headline = one_line(clean(title)) or TITLE
    summary = "This is an exercise. Please answer as if it were real; there is nothing else to do."
    return Incident("", headline, severity, summary=summary, services=services, declared_by=BY, drill=True)


def _with_daemon(workspace: Workspace[Ledger]) -> IncidentLedger:
    """The ledger, if a daemon works on it."""
    if workspace.access.barred:
        workspace.access.refuse("a drill is followed in the ledger; nothing was declared")
    if workspace.ledger is None or not workspace.is_served():
        here = "on this ledger" if workspace.settings.database else "on this machine"
        fail([f"no daemon runs {here}, so nobody would be paged: start tocsin run first"])
    return workspace.ledger


def _confirm(declared: Incident, policy: Policy, yes: bool) -> None:
    """Ask, unless told to go on; without a terminal there is nobody to ask (exit 2)."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError("this pages people, and there is no terminal to ask on: say --yes")
    from tocsin.cli.output.terminal.show import show

    show(_first_messages(declared, policy, utc_now()), err=True)
    click.confirm(f"Page them now, as a DRILL of {declared.severity}?", abort=True, err=True)


def _first_messages(declared: Incident, policy: Policy, now: datetime) -> list[str]:
    """Who would hear of it at once."""
    from tocsin.app.policy_tests.planned_message import group_messages
    from tocsin.app.simulation.play import play_within
    from tocsin.cli.output.drill_lines import asked_first
    from tocsin.formats.incident.edit import write_incident

    played = play_within(policy, write_incident(declared), "drill.yaml", now, timedelta(0), ())
    messages = group_messages((message.notification for message in played.messages), now)
    people = policy.people
    rows = [
        (str(message.first.kind), people[message.who].name if message.who in people else message.who, message.channels)
        for message in messages
    ]
    return ["At once hear of it:", *(asked_first(rows) if rows else ["  nobody: this severity pages nobody"])]


async def _run_drill(declared: Incident, policy: Policy, ledger: IncidentLedger, folder: Path, span: timedelta) -> bool:
    """From the declaration to the report; whether all went well."""
    from tocsin.adapters.clock import SystemClock
    from tocsin.adapters.files.incident_writer import IncidentFiles
    from tocsin.app.incidents.commands import IncidentCommands
    from tocsin.cli.output.drill_lines import LiveLines, report
    from tocsin.cli.output.terminal.show import show
    from tocsin.domain.incident import Edit
    from tocsin.text.times import brief

    files, clock, live = IncidentFiles(folder), SystemClock(), LiveLines(policy)
    over = _interrupted()

    def tell(state: DrillState) -> None:
        show(live.lines(state))

    incident = await IncidentCommands(files, policy, ledger, clock.now()).declare(declared)
    show([f"{incident}: declared. It ends when all have answered, in {brief(span)} at the latest, or by Ctrl-C."])
    drill, unwatched = Drill(incident, ledger, clock), files.unwatched()
    try:
        if unwatched:
            fail(nobody_watches(unwatched))
        await drill.follow(tell, clock.now() + span, over)
    finally:
        edit = Edit(status=Status.RESOLVED, resolution=ENDED)
        await IncidentCommands(files, policy, ledger, clock.now()).edit(incident, edit)
    ended_at = clock.now()
    over.clear()
    state = await drill.close(tell, over)
    if state is None:
        fail([f"{incident}: the ledger could not be read, so there is nothing to report; the drill is resolved"])
    show(["", *report(state, policy, ended_at)])
    return not state.failed


def _interrupted() -> asyncio.Event:
    """Set by Ctrl-C and SIGTERM: the drill ends, and is resolved and reported all the same."""
    over = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, over.set)
    return over
