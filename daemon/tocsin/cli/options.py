"""What the commands share: options for config, instants and spans, and how a refused config or input is told."""

import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any, NoReturn, TypeVar
from zoneinfo import ZoneInfo

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from tocsin.adapters.clock import SystemClock
from tocsin.adapters.files.rights import closed, is_file
from tocsin.cli.completion import Names, offers
from tocsin.cli.judging import bounded_child
from tocsin.domain.policy import Policy
from tocsin.domain.problem import Problem, ProblemLevel
from tocsin.formats.config.file_names import SETTINGS
from tocsin.text import scalars
from tocsin.text.times import iso_utc
from tocsin.text.written_instant import WrittenInstant, written_instant

F = TypeVar("F", bound=Callable[..., Any])

config_option = click.option(
    "--config",
    type=click.Path(path_type=Path, readable=False),  # whoever reads it says better why it cannot be read
    is_eager=True,  # times of day are in the zone of somebody who stands in it
    help="The config folder. Default: $TOCSIN_CONFIG, else ./config, else /etc/tocsin.",
)


anyway_option = click.option(
    "--anyway",
    is_flag=True,
    help="Don't mind that no daemon watches the folder: git, or something else, carries it to the daemon.",
)
AS = "TOCSIN_AS"
"""The variable that says who acts."""
HERE, INSTALLED = Path("config"), Path("/etc/tocsin")
"""Where the config is looked for when nobody says where it is."""


def folder_of(config: Path | None) -> Path:
    """The config folder: --config, else $TOCSIN_CONFIG, else ./config if it holds a tocsin.yaml, else /etc/tocsin where
    there is one; a ./config that may not be looked into is told of. Never raises.
    """
    if named := config or os.environ.get("TOCSIN_CONFIG"):
        return Path(named)
    here = is_file(HERE / SETTINGS) or not os.path.lexists(INSTALLED)
    if not here and (why := closed(HERE / SETTINGS)):
        click.echo(f"{HERE} {why}; {INSTALLED} is used instead", err=True)
    return HERE if here else INSTALLED


def utc_now() -> datetime:
    """Now, in UTC."""
    return SystemClock().now()


class _Scalar(click.ParamType[Any]):
    """An argument in the words of the config: a duration or an instant; a wrong one is wrong usage (exit 2)."""

    def __init__(self, name: str, read: Callable[[str], Any]) -> None:
        self.name = name
        self.read = read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read the argument."""
        if not isinstance(value, str):
            return value
        try:
            return self.read(value)
        except ValueError as fault:
            self.fail(str(fault), param, ctx)


class _IncidentId(click.ParamType[str]):
    """An id, the start of one, or the incident's file. Nothing would be the start of every id, and is wrong usage."""

    name = "id"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """What was written, without blanks around it."""
        written = str(value).strip()
        if not written:
            self.fail("it is empty; name the incident (tocsin status lists those that are open)", param, ctx)
        return written


def completed(wanted: Names) -> Callable[..., list[CompletionItem]]:
    """The `shell_complete` of an option or argument that wants a name of this sort."""
    return offers(wanted, folder_of)


incident_argument = click.argument("incident", metavar="ID", type=_IncidentId(), shell_complete=completed("incidents"))
"""The incident that a command is about: any unambiguous start of its id will do (`workspace.incident_named`)."""
open_incident_argument = click.argument(
    "incident", metavar="ID", type=_IncidentId(), shell_complete=completed("open incidents")
)
"""The same where only an open one makes sense, so that a shell offers no other."""


def person_option(*names: str, help: str, required: bool = False) -> Callable[[F], F]:  # noqa: A002 - click's word
    """An option that says who acts; without it $TOCSIN_AS does. Whoever has the policy looks the person up."""

    def named(ctx: click.Context, option: click.Parameter, written: str | None) -> str | None:
        if required and not written and not ctx.resilient_parsing:
            raise click.UsageError(
                f"say who it is: {option.opts[-1]} P, an id, full name or email; or once for all: export {AS}=P"
            )
        return written

    return click.option(
        *names,
        envvar=AS,
        callback=named,
        metavar="P",
        help=f"{help} Default: ${AS}.",
        shell_complete=completed("people"),
    )


def instant_option(*names: str, ago: bool = False, today: bool = False, **settings: Any) -> Callable[[F], F]:
    """An option that takes an instant (UTC): `23:00`, `2h`, or ISO 8601 with an offset or Z. `ago`: a bare span counts
    back; `today`: a bare time is today's, else its next occurrence. A time of day is in the zone of `--timezone` where
    that is said, else in that of $TOCSIN_AS, else in this machine's.
    """

    def take(ctx: click.Context, option: click.Parameter, written: WrittenInstant | None) -> datetime | None:
        def zone() -> ZoneInfo | None:
            if ctx.get_parameter_source("timezone") is not ParameterSource.COMMANDLINE:
                return own_zone(ctx.params.get("config"))
            try:
                return ZoneInfo(scalars.zone(str(ctx.params["timezone"])))
            except ValueError as fault:
                raise click.BadParameter(str(fault), param_hint="--timezone") from None

        if ctx.resilient_parsing:  # a shell asks what may follow
            return None
        return taken(option.opts[0], written, utc_now(), zone)

    return written_instant_option(*names, ago=ago, today=today, callback=take, **settings)


def written_instant_option(*names: str, ago: bool = False, today: bool = False, **settings: Any) -> Callable[[F], F]:
    """The same, for who knows better in whose zone it is: what was written, for `taken`."""

    def read(text: str) -> WrittenInstant:
        return written_instant(text, ago=ago, today=today)

    return click.option(*names, type=_Scalar("instant", read), metavar="T", **settings)


def taken(
    name: str, written: WrittenInstant | None, now: datetime, zone: Callable[[], tzinfo | None]
) -> datetime | None:
    """The instant that an option means (UTC). One that was written short is told on stderr as it was taken; only a time
    of day asks for the `zone` (None: this machine's).
    """
    if written is None:
        return None
    if written.at is not None:
        return written.at
    place = zone() if written.time_of_day else None
    at = written.taken(now, place)
    click.echo(f"{name} {written.text} is {at.astimezone(place):%a %d %b %Y, %H:%M:%S %Z} ({iso_utc(at)})", err=True)
    return at


def zone_of(policy: Policy, person: str | None) -> ZoneInfo | None:
    """The zone of somebody of the config; None (this machine's) for whoever is none of it."""
    known = policy.people.get(person or "")
    return ZoneInfo(known.timezone) if known else None


def own_zone(config: Path | None) -> ZoneInfo | None:
    """The zone of $TOCSIN_AS, if that is somebody of the config; else None, this machine's. It says nothing of a config
    that cannot be read: whoever needs it does.
    """
    from tocsin.app.configuration.judge import load
    from tocsin.text.names import person_named

    written = os.environ.get(AS)
    policy = load(bounded_child(), folder_of(config), utc_now(), os.environ).policy if written else None
    if not written or policy is None:
        return None
    try:
        return zone_of(policy, person_named(written, policy))
    except ValueError:
        return None


def span_option(*names: str, **settings: Any) -> Callable[[F], F]:
    """An option that takes a duration: 30s, 5m, 1h30m, 2d."""
    return click.option(*names, type=_Scalar("duration", scalars.duration), metavar="SPAN", **settings)


class InputPath(click.Path):
    """An argument that names what is there to be read. What may not be seen is not called absent (exit 1)."""

    def __init__(self, *, dir_okay: bool = True) -> None:
        super().__init__(exists=True, dir_okay=dir_okay, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path."""
        if why := closed(Path(value)):
            fail([f"{value} {why}"])
        return super().convert(value, param, ctx)


def warn_of(errors: Iterable[Problem]) -> None:
    """Tell what is wrong but stops no command beside `check` and a first `run`: unknown variables (rule 43)."""
    tell_problems(replace(error, level=ProblemLevel.WARNING) for error in errors)


def fail(problems: Iterable[Problem | str]) -> NoReturn:
    """Say what is wrong on stderr, a line each, and exit with 1."""
    tell_problems(problems)
    sys.exit(1)


def tell_problems(problems: Iterable[Problem | str]) -> None:
    """Say on stderr what is wrong, a line each. Where nothing is, nothing is imported for it."""
    told = list(problems)
    if told:
        from tocsin.cli.output.terminal.line import problem_line
        from tocsin.cli.output.terminal.show import show

        show((problem if isinstance(problem, str) else problem_line(problem) for problem in told), err=True)
