"""The messages of a rehearsal as lines for people: one a message, those of one instant together."""

from collections.abc import Iterator
from datetime import timedelta

from tocsin.app.simulation.play import SimulatedMessage, Simulation
from tocsin.domain.policy import Policy


def lines(played: Simulation, policy: Policy) -> Iterator[str]:
    """What happens, in time order, and when the next message comes."""
    yield f"{played.incident}, first seen {played.start:%a %d %b %Y %H:%M:%S} UTC"
    last = None
    for said in played.messages:
        at = said.notification.at
        if at != last:
            yield ""
            yield f"+{span(at - played.start)}  {at:%a %H:%M:%S}"
        last = at
        yield f"    {_message(said, policy)}"
    yield ""
    if not played.messages:
        yield "nothing is sent in this time"
    yield f"next message: {played.next_at:%a %d %b %H:%M:%S} UTC" if played.next_at else "nothing comes after this"


def span(length: timedelta) -> str:
    """A span as the config writes it: `1h5m`, `30s`, `0s`."""
    seconds = int(length.total_seconds())
    parts = [(seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "m"), (seconds % 60, "s")]
    return "".join(f"{count}{unit}" for count, unit in parts if count) or "0s"


def _message(said: SimulatedMessage, policy: Policy) -> str:
    """Kind, reader and channel first; then why, and for what."""
    each, content = said.notification, said.content
    known = policy.people.get(each.to)
    who = f"{known.name} <{said.address}>" if known else said.address
    position = f"level {each.level}, round {each.round}" if each.level is not None and each.round else ""
    about = ", ".join(part for part in (each.group, *each.roles, position) if part)
    text = "" if content is None else content.text if each.via.traits.short else content.subject
    shown = f"\n        {' '.join(text.split())}" if text else ""
    return (
        f"{each.kind.value:<10} {each.via.value:<5} {who}  ({each.reason.value}{': ' + about if about else ''}){shown}"
    )
