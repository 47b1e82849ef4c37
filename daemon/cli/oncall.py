"""`tocsin oncall`: who is on call, now or over a span."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from daemon.cli.options import config_option, instant_option, moment, open_policy


@click.command()
@instant_option("--at", help="The moment to ask about. Default: now.")
@instant_option("--from", "start", help="The start of a span (with --to).")
@instant_option("--to", "end", help="The end of a span (with --from).")
@click.option("--person", help="Only this person's turns.")
@click.option("--format", "form", type=click.Choice(["text", "json", "ics"]), default="text", show_default=True)
@config_option
def command(
    at: datetime | None,
    start: datetime | None,
    end: datetime | None,
    person: str | None,
    form: str,
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
    if form == "ics" and start is None:
        raise click.UsageError("--format ics needs a span: give --from and --to")
    if start is not None and end is not None:
        _span(start, end, person, form, config)
    else:
        _moment((at or moment()).replace(microsecond=0), person, form, config)


def _moment(at: datetime, person: str | None, form: str, config: Path | None) -> None:
    """Each rotation's person, who comes next, and until when."""
    from daemon.planning.on_call import next_on_call, on_call
    from daemon.planning.stretches import until

    policy = open_policy(config, at).policy
    rows = []
    for name, rotation in sorted(policy.rotations.items()):
        now = on_call(rotation, at)
        if person is None or now == _known(person, policy.people):
            row = {"rotation": name, "person": now, "next": next_on_call(rotation, at)}
            rows.append({**row, "until": _written(until(rotation, at))})
    if form == "json":
        _print({"at": _written(at), "on_call": rows})
        return
    for row in rows:
        known = policy.people.get(row["person"] or "")
        who = f"{known.name} ({known.id})" if known else "nobody (gap)"
        ends = f"until {row['until']}" if row["until"] else "with no end"
        click.echo(f"{row['rotation']:<20} {who:<30} {ends}" + (f", then {row['next']}" if row["next"] else ""))
    if not rows:
        click.echo("nobody is on call" if person is None else f"{person} is not on call", err=True)


def _span(start: datetime, end: datetime, person: str | None, form: str, config: Path | None) -> None:
    """Every stretch of every rotation."""
    from daemon.documents.calendar import write
    from daemon.planning.stretches import stretches

    policy = open_policy(config, start).policy  # calendars are read from there on, for a good year
    who = _known(person, policy.people) if person else None
    found = [each for rotation in policy.rotations.values() for each in stretches(rotation, start, end)]
    found = sorted((each for each in found if who in (None, each.person)), key=lambda each: (each.start, each.rotation))
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
        _print({"shifts": shifts})
    elif form == "ics":
        events = [(each.rotation, policy.people[each.person], each.start, each.end) for each in found]
        sys.stdout.buffer.write(write(events, start))
    else:
        for each in found:
            mark = "  (override)" if each.override else ""
            name = policy.people[each.person].name
            click.echo(f"{_short(each.start)} - {_short(each.end)} UTC  {each.rotation:<20} {name}{mark}")


def _known(person: str, people: Any) -> str:
    """The person's id; an unknown one ends with 1."""
    from daemon.cli.options import fail
    from daemon.documents.scalars import closest

    if person not in people:
        fail([f'there is no person "{person}" in the config{closest(person, people)}'])
    return person


def _written(at: datetime | None) -> str | None:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def _short(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%a %d %b %Y %H:%M")


def _print(document: dict[str, Any]) -> None:
    json.dump(document, sys.stdout, indent=1, ensure_ascii=False)
    click.echo()
