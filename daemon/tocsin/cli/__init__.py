"""The command line, one file a command: arguments in, exit status out (`docs/behaviour.md`).

A command's module is imported only when it is called: `tocsin ack` at 3 a.m. does not wait for the daemon's libraries.
Exit status: 0 good; 1 problems found or the thing could not be done; 2 wrong usage.
"""

import atexit
import gc
import importlib
import io
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, suppress
from functools import partial
from keyword import iskeyword
from typing import IO, Any, NoReturn

import click
from click.shell_completion import CompletionItem

from tocsin import __version__

COMMANDS = {
    "run": "the daemon; SIGHUP reloads, SIGTERM drains",
    "check": "config, templates, incident files: file:line:col: error: message",
    "doctor": "will it arrive? live checks of providers, DNS, machine and people, each with its cure",
    "simulate": "every message that would be sent for an incident, in time order",
    "explain": "who holds what, what was sent and why, what comes next, what was held back",
    "test": "policy tests: one line each, a diff for each failure",
    "diff": "how a config change moves pages and updates: two git revisions compared",
    "oncall": "who is on call, now or over a span",
    "declare": "write a new incident file",
    "ack": "acknowledge an incident for a person",
    "pass": "hand an incident on to whoever is asked next",
    "update": "add an update to an incident",
    "note": "add to the timeline, for the review",
    "severity": "raise or lower the severity",
    "impact": "say what customers notice",
    "assign": "give a role to a person",
    "resolve": "mark an incident resolved",
    "status": "open incidents, roles, next update, trouble",
    "review": "write the review draft now",
    "reviewed": "the review is done",
    "send-test": "a real message to one person",
    "drill": "a whole drill over the real channels, and a report",
    "backup": "a copy of the ledger, checked, while the daemon runs",
    "prune": "closed incidents go that are older than they are to be kept",
    "resubscribe": "tell an address again that had unsubscribed",
    "sign-out": "sign a person out of the pages, in every browser",
    "pull": "follow the config's git upstream, if its config is good",
    "nodes": "the machines that share the ledger: which leads, which stand by",
    "web": "the web side: health, metrics, pages, webhooks",
    "schema": "JSON Schema for editors",
    "init": "a commented starter config",
}


HELP = ("-h", "--help")
STAY = frozenset({"run", "web"})
"""The commands that stay; all others are over before their garbage matters."""
GARBAGE_AFTER = 500_000
"""How many new objects make Python look for garbage in a command: its libraries alone are some 150,000, all kept, and
to look through them costs a tenth of its time.
"""
COMPLETE = "_TOCSIN_COMPLETE"
"""The variable by which a shell asks what may follow; click names it."""


class Commands(click.Group):
    """A group that imports `tocsin.cli.<command>` only when the command is used; each module has `command`."""

    failed_with = 1
    """The exit status of a failure: that of a mistake in the usage once one was made."""

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """Read what stands before the command's name."""
        with self._noting_mistakes():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with self._noting_mistakes():
            return super().invoke(ctx)

    @contextmanager
    def _noting_mistakes(self) -> Iterator[None]:
        try:
            yield
        except click.UsageError as mistake:
            self.failed_with = mistake.exit_code
            mistake.show = partial(_show, mistake)  # type: ignore[method-assign]
            raise

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Commands that begin so, from the table, without importing any."""
        commands = [CompletionItem(name, help=what) for name, what in COMMANDS.items() if name.startswith(incomplete)]
        return [*commands, *click.Command.shell_complete(self, ctx, incomplete)]

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """In the order of the table."""
        return list(COMMANDS)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Prepare for the command that was called, and import it. Neither a shell that asks what may follow nor who
        reads its help waits for a config.
        """
        if args[0] in COMMANDS and args[0] not in STAY:
            leave_garbage()
        if args[0] in COMMANDS and not ctx.resilient_parsing and not {*HELP} & {*args}:
            from tocsin.cli.judging import begin_judging

            begin_judging(args[0])
        return super().resolve_command(ctx, args)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the command's module."""
        if cmd_name not in COMMANDS:
            return None
        name = cmd_name.replace("-", "_")
        module = importlib.import_module(f"tocsin.cli.{name}{'_' * iskeyword(name)}")
        command = module.command
        assert isinstance(command, click.Command)
        return _plain(command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands from the table, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def leave_garbage() -> None:
    """Have Python look for garbage seldom, and not at the end, where it would look through all that is left several
    times, only to give back what the system takes anyway.
    """
    gc.set_threshold(GARBAGE_AFTER)
    atexit.register(gc.freeze)


def _show(mistake: click.UsageError, _file: IO[Any] | None = None) -> None:
    """Say what was called wrongly in click's words, laid out by the terminal."""
    from tocsin.cli.output.terminal.show import show

    said = io.StringIO()
    type(mistake).show(mistake, said)
    show(said.getvalue().splitlines(), err=True)


def _plain(command: click.Command) -> click.Command:
    r"""The command with its `\b` marks as click wants them: what follows is printed as it stands."""
    command.help = (command.help or "").replace("\\b\n", "\b\n")
    return command


@click.command(cls=Commands, context_settings={"help_option_names": HELP, "max_content_width": 100})
@click.version_option(__version__, prog_name="tocsin")
def tocsin() -> None:
    r"""Page the right people, keep stakeholders told, until the incident is resolved.

    \b
    Examples:
      tocsin check                                      is the config good?
      tocsin declare "Card payments fail" --severity sev1
      tocsin ack 2026-11-23-card-payments-fail --as ana
      tocsin simulate incidents/example.yaml --for 2h   who would hear what?
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command. A closed pipe (`| head`) is no error; what the system refuses and no command foresaw (a full
    disk behind stdout) is told in one line. The exit status of a mistake is its own, also where nobody can be told.
    """
    group = tocsin
    assert isinstance(group, Commands)
    if os.environ.get(COMPLETE, "").endswith("_complete"):
        _complete(group)
    try:
        _plain(group).main(args=list(arguments) if arguments is not None else None, prog_name="tocsin")
    except BrokenPipeError:
        forget_output()
        sys.exit(0)
    except OSError as fault:
        forget_output()
        where = f"{fault.filename}: " if fault.filename else ""
        try:
            click.echo(f"tocsin: {where}{(fault.strerror or str(fault)).lower()}", err=True)
        except OSError:
            forget_output(2)
        sys.exit(group.failed_with)


def _complete(group: Commands) -> NoReturn:
    """Tell a shell what may follow. Whatever is wrong, a shell gets no words that it would show in somebody's midst of
    typing: then there is nothing to offer.
    """
    with redirect_stderr(io.StringIO()), suppress(Exception, SystemExit):
        _plain(group).main(prog_name="tocsin")
    with suppress(OSError):
        sys.stdout.flush()
    os._exit(0)  # who gathers from a folder that hangs is not waited for


def forget_output(stream: int = 1) -> None:
    """Let go of what stdout (or stderr) would still write when the process ends: a second failure would change the exit
    status.
    """
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
