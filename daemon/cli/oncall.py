"""`tocsin oncall`: who is on call, now or over a span."""

import json
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from daemon.cli.options import config_option, fail, instant_option, moment, open_policy
from daemon.documents import scalars
from daemon.domain.policy import Policy

SPAN_MAX = timedelta(days=3660)
"""The longest span that is shown: ten years."""


def _zone(_context: click.Context, _option: click.Parameter, name: str) -> ZoneInfo:
    try:
        return ZoneInfo(scalars.zone(name))
    except ValueError as wrong:
        raise click.BadParameter(str(wrong)) from None


@click.command()
@instant_option("--at", help="The moment to ask about. Default: now.")
@instant_option("--from", "start", help="The start of a span (with --to).")
@instant_option("--to", "end", help="The end of a span (with --from).")
@click.option("--person", help="Only this person's turns.")
@click.option("--format", "form", type=click.Choice(["text", "json", "ics"]), default="text", show_default=True)
@click.option("--timezone", default="UTC", callback=_zone, help="The zone of times in text. Default: UTC.")
@config_option
def command(
    at: datetime | None,
    start: datetime | None,
    end: datetime | None,
    person: str | None,
    form: str,
    timezone: ZoneInfo,
    config: Path | None,
) -> None:
    r"""Show who is on call: at a moment, or over a span with --from and --to.

    \b
    Examples:
      tocsin oncall
      tocsin oncall --at 2026-12-24T18:00+01:00
      tocsin oncall --from 2026-12-01T00:00Z --to 2027-01-01T00:00Z --person ana
      tocsin oncall --from 2026-12-01T00:00Z --to 2027-01-01T00:00Z --format ics > oncall.ics
    """
    if (start is None) != (end is None) or (at is not None and start is not None):
        raise click.UsageError("give --at, or --from together with --to")
    if start is not None and end is not None and start >= end:
        raise click.UsageError("--from must be before --to")
    if start is not None and end is not None and end - start > SPAN_MAX:
        raise click.UsageError(f"the span is over {SPAN_MAX.days} days; ask for less")
    if form == "ics" and start is None:
        raise click.UsageError("--format ics needs a span: give --from and --to")
    if start is not None and end is not None:
        _print_span((start, end), person, form, timezone, config)
    else:
        _print_moment((at or moment()).replace(microsecond=0), person, form, timezone, config)


def _print_moment(at: datetime, person: str | None, form: str, timezone: ZoneInfo, config: Path | None) -> None:
    """Print each rotation's person, who comes next, and until when."""
    from daemon.planning.on_call import next_on_call, on_call
    from daemon.planning.stretches import until

    policy = open_policy(config, at).policy
    who = _known(person, policy) if person else None
    rows = [
        (name, on_call(rotation, at), next_on_call(rotation, at), until(rotation, at))
        for name, rotation in sorted(policy.rotations.items())
        if who is None or on_call(rotation, at) == who
    ]
    if form == "json":
        shown = [{"rotation": n, "person": p, "next": after, "until": _written(end)} for n, p, after, end in rows]
        _print_json({"at": _written(at), "on_call": shown})
        return
    for name, now, after, end in rows:
        holder = f"{policy.people[now].name} ({now})" if now else "nobody (gap)"
        ends = f"until {_readable(end, timezone)}" if end else "with no end"
        click.echo(f"{name:<20} {holder:<30} {ends}" + (f", then {after}" if after else ""))
    if not rows:
        click.echo(f"{who} is not on call" if who else "the config has no rotations", err=True)


def _print_span(
    span: tuple[datetime, datetime], person: str | None, form: str, timezone: ZoneInfo, config: Path | None
) -> None:
    """Print every stretch of every rotation."""
    from daemon.documents.calendar import write
    from daemon.planning.stretches import stretches

    policy = _policy(config, *span)
    who = _known(person, policy) if person else None
    every = (each for rotation in policy.rotations.values() for each in stretches(rotation, *span))
    found = sorted((each for each in every if who in (None, each.person)), key=lambda each: (each.start, each.rotation))
    if form == "json":
        shifts = [
            {
                "rotation": each.rotation,
                "person": each.person,
                "start": _written(each.start),
                "end": _written(each.end),
                "override": each.override,
            }
            for each in found
        ]
        _print_json({"shifts": shifts})
    elif form == "ics":
        events = [(each.rotation, policy.people[each.person], each.start, each.end) for each in found]
        sys.stdout.buffer.write(write(events, span[0]))
        sys.stdout.buffer.flush()
    else:
        for each in found:
            mark = "  (override)" if each.override else ""
            times = f"{_readable(each.start, timezone)} - {_readable(each.end, timezone)}"
            click.echo(f"{times}  {each.rotation:<20} {policy.people[each.person].name}{mark}")


def _policy(config: Path | None, start: datetime, end: datetime) -> Policy:
    """The policy, with its calendars read over the whole span: one reading goes only so far."""
    from daemon.documents.config import CALENDAR_FUTURE

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


def _known(person: str, policy: Policy) -> str:
    """The person's id; an unknown one ends with 1."""
    if person not in policy.people:
        fail([f'there is no person "{person}" in the config{scalars.closest(person, policy.people)}'])
    return person


def _written(at: datetime | None) -> str | None:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def _readable(at: datetime, timezone: ZoneInfo) -> str:
    return at.astimezone(timezone).strftime("%a %d %b %Y %H:%M %Z")


def _print_json(document: dict[str, Any]) -> None:
    click.echo(json.dumps(document, indent=1, ensure_ascii=False))
