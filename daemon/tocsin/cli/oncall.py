"""`tocsin oncall`: who is on call, now or over a span."""

import json
import sys
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from tocsin.cli.options import completed, config_option, fail, instant_option, utc_now
from tocsin.domain.policy import Policy
from tocsin.domain.rotation import Rotation
from tocsin.text import scalars
from tocsin.text.names import person_named
from tocsin.text.times import iso_utc

SPAN_MAX = timedelta(days=3660)
"""The longest span that is shown: ten years."""
CALENDAR_SPAN = timedelta(days=90)
"""What a calendar file covers from today on, when no span is given."""


@dataclass(frozen=True, slots=True)
class OnCallQuery:
    """Whose turns of which rotation, and how they are shown."""

    person: str | None
    rotation: str | None
    form: str
    timezone: ZoneInfo
    config: Path | None


def _zone(_context: click.Context, _option: click.Parameter, name: str) -> ZoneInfo:
    try:
        return ZoneInfo(scalars.zone(name))
    except ValueError as wrong:
        raise click.BadParameter(str(wrong)) from None


@click.command()
@instant_option("--at", today=True, help="The moment to ask about, such as 23:00. Default: now.")
@instant_option("--from", "start", ago=True, today=True, help="The start of a span (with --to); 7d is 7 days ago.")
@instant_option("--to", "end", help="The end of a span (with --from); 7d is in 7 days.")
@click.option(
    "--person", help="Only this person's turns: an id, full name or email.", shell_complete=completed("people")
)
@click.option("--rotation", help="Only this rotation.", shell_complete=completed("rotations"))
@click.option("--format", "form", type=click.Choice(["text", "json", "ics"]), default="text", show_default=True)
@click.option(
    "--timezone", default="UTC", callback=_zone, is_eager=True, help="The zone of times in text. Default: UTC."
)
@config_option
def command(  # noqa: PLR0913, PLR0917 - click hands over each option by name
    at: datetime | None,
    start: datetime | None,
    end: datetime | None,
    person: str | None,
    rotation: str | None,
    form: str,
    timezone: ZoneInfo,
    config: Path | None,
) -> None:
    r"""Show who is on call: at a moment, or over a span with --from and --to.

    \b
    Examples:
      tocsin oncall
      tocsin oncall --at 2026-12-24T18:00+01:00
      tocsin oncall --at 23:00                      tonight at eleven
      tocsin oncall --from 7d --to 7d --person ana  a week back, a week ahead
      tocsin oncall --from 2026-12-01T00:00Z --to 2027-01-01T00:00Z --person ana
      tocsin oncall --format ics --person ana > ana.ics   90 days from today
      tocsin oncall --format ics --rotation platform \
        --from 2026-12-01T00:00Z --to 2027-01-01T00:00Z
    """
    if (start is None) != (end is None) or (at is not None and start is not None):
        raise click.UsageError("give --at, or --from together with --to")
    if start is not None and end is not None and start >= end:
        raise click.UsageError("--from must be before --to")
    if start is not None and end is not None and end - start > SPAN_MAX:
        raise click.UsageError(f"the span is over {SPAN_MAX.days} days; ask for less")
    if form == "ics" and at is not None:
        raise click.UsageError("--format ics is a span: give --from and --to, or neither for 90 days from today")
    query = OnCallQuery(person, rotation, form, timezone, config)
    if form == "ics" and start is None:
        start = utc_now().replace(hour=0, minute=0, second=0, microsecond=0)
        end = start + CALENDAR_SPAN
    if start is None or end is None:
        _print_moment((at or utc_now()).replace(microsecond=0), query)
    elif form == "ics":
        _print_calendar((start, end), query)
    else:
        _print_span((start, end), query)


def _print_moment(at: datetime, query: OnCallQuery) -> None:
    """Print each rotation's person, who comes next, and until when; then whom an incident would page, role by role."""
    from tocsin.cli.opened_config import open_policy
    from tocsin.cli.output.oncall_lines import person_lines, role_lines
    from tocsin.cli.output.terminal.line import Mark, marked
    from tocsin.cli.output.terminal.show import beside, show
    from tocsin.planning.on_call.resolve import next_on_call, on_call
    from tocsin.planning.on_call.role_chains import on_call_by_role
    from tocsin.planning.on_call.shifts import on_call_until

    policy = open_policy(query.config, at).policy
    who, rotations = _selected(query, policy)
    rows = [
        (rotation.id, on_call(rotation, at), next_on_call(rotation, at), on_call_until(rotation, at))
        for rotation in rotations
        if who is None or on_call(rotation, at) == who
    ]
    if query.form == "json":
        shown = [{"rotation": n, "person": p, "next": after, "until": _iso(end)} for n, p, after, end in rows]
        _print_json({"at": _iso(at), "on_call": shown})
        return
    columns = []
    for name, now, after, end in rows:
        holder = f"{policy.people[now].name} ({now})" if now else marked("nobody (gap)", Mark.ALARM)
        ends = f"until {_readable(end, query.timezone)}" if end else "with no end"
        columns.append((name, holder, ends + (f", then {after}" if after else "")))
    show(beside(columns, (20, 30)))
    by_role = on_call_by_role(policy, at)
    own = list(person_lines(by_role, policy, who)) if who and not query.rotation else []
    if not rows and not own:
        click.echo(f"{who} is not on call" if who else "the config has no rotations", err=True)
    if not who and not query.rotation and by_role.severities:
        own = list(role_lines(by_role, policy, at, lambda moment: _readable(moment, query.timezone)))
    if rows and own:
        click.echo()
    show(own)


def _print_span(span: tuple[datetime, datetime], query: OnCallQuery) -> None:
    """Print every shift of every rotation."""
    from tocsin.cli.output.terminal.show import beside, show
    from tocsin.planning.on_call.shifts import on_call_spans

    policy = _policy(query.config, *span)
    who, rotations = _selected(query, policy)
    every = (shift for rotation in rotations for shift in on_call_spans(rotation, *span))
    shifts = [shift for shift in every if who in (None, shift.person)]
    shifts.sort(key=lambda shift: (shift.start, shift.rotation))
    if query.form == "json":
        rows = [
            {
                "rotation": shift.rotation,
                "person": shift.person,
                "start": _iso(shift.start),
                "end": _iso(shift.end),
                "override": shift.override,
            }
            for shift in shifts
        ]
        _print_json({"shifts": rows})
        return
    columns = []
    for shift in shifts:
        mark = "  (override)" if shift.override else ""
        times = f"{_readable(shift.start, query.timezone)} - {_readable(shift.end, query.timezone)} "
        columns.append((times, shift.rotation, f"{policy.people[shift.person].name}{mark}"))
    show(beside(columns, (0, 20)))


def _print_calendar(span: tuple[datetime, datetime], query: OnCallQuery) -> None:
    """Print the shifts that touch the span, whole, as an iCalendar file. One that is under way keeps its real start,
    so that tomorrow's file has the same event.
    """
    from tocsin.formats.calendar.feed import write_calendar
    from tocsin.planning.on_call.shifts import AROUND, unclipped_spans

    start, end = span
    policy = _policy(query.config, start, end + AROUND)
    who, rotations = _selected(query, policy)
    every = (shift for rotation in rotations for shift in unclipped_spans(rotation, start, end))
    shifts = [shift for shift in every if who in (None, shift.person)]
    shifts.sort(key=lambda shift: (shift.start, shift.rotation))
    events = [(shift.rotation, policy.people[shift.person], shift.start, shift.end) for shift in shifts]
    names = [policy.people[who].name] if who else []
    names += [query.rotation] if query.rotation else []
    sys.stdout.buffer.write(write_calendar(events, start, ": ".join(["On call", *names])))
    sys.stdout.buffer.flush()


def _policy(config: Path | None, start: datetime, end: datetime) -> Policy:
    """The policy, with its calendars read over the whole span: one reading goes only so far."""
    from tocsin.cli.opened_config import open_policy
    from tocsin.formats.config.read import CALENDAR_FUTURE

    policy = open_policy(config, start).policy
    at = start + CALENDAR_FUTURE
    while at < end and any(rotation.calendar for rotation in policy.rotations.values()):
        more = open_policy(config, at).policy.rotations
        rotations = {
            name: replace(rotation, events=tuple(dict.fromkeys((*rotation.events, *more[name].events))))
            for name, rotation in policy.rotations.items()
            if name in more
        }
        policy = replace(policy, rotations=rotations)
        at += CALENDAR_FUTURE
    return policy


def _selected(query: OnCallQuery, policy: Policy) -> tuple[str | None, list[Rotation]]:
    """The person's id, and the rotations that the query names, in order of their names; an unknown one ends with 1."""
    try:
        person = person_named(query.person, policy) if query.person else None
    except ValueError as fault:
        fail([str(fault)])
    if query.rotation and query.rotation not in policy.rotations:
        known = list(policy.rotations)
        fail([f'there is no rotation "{query.rotation}" in the config{scalars.closest(query.rotation, known)}'])
    names = [name for name in sorted(policy.rotations) if query.rotation in (None, name)]
    return person, [policy.rotations[name] for name in names]


def _iso(at: datetime | None) -> str | None:
    return iso_utc(at) if at else None


def _readable(at: datetime, timezone: ZoneInfo) -> str:
    return at.astimezone(timezone).strftime("%a %d %b %Y %H:%M %Z")


def _print_json(document: dict[str, Any]) -> None:
    click.echo(json.dumps(document, indent=1, ensure_ascii=False))
