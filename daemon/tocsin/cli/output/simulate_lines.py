"""The messages of a simulation as lines for people: one a message, those of one instant together."""

from collections.abc import Iterator
from datetime import timedelta

from tocsin.app.simulation.play import SimulatedMessage, Simulation
from tocsin.domain.policy import Policy
from tocsin.planning.current_state import first_words
from tocsin.wording.report.reason_text import waiting_text


def lines(played: Simulation, policy: Policy) -> Iterator[str]:
    """What happens, in time order, and when the next message comes."""
    yield f"{played.incident}, first seen {played.start:%a %d %b %Y %H:%M:%S} UTC"
    last = None
    for message in played.messages:
        at = message.notification.at
        if at != last:
            yield ""
            yield f"+{span(at - played.start)}  {at:%a %H:%M:%S}"
        last = at
        yield f"    {_message(message, policy)}"
    yield ""
    if not played.messages:
        yield "nothing is sent in this time"
    yield from _untold(played, policy)
    yield f"next message: {played.next_at:%a %d %b %H:%M:%S} UTC" if played.next_at else "nothing comes after this"


def _untold(played: Simulation, policy: Policy) -> Iterator[str]:
    """Which outsiders have heard nothing by the end, and until when that is so (rule 56)."""
    history = played.history
    told = {message.notification.group for message in played.messages}
    for message in {message.group: message for message in reversed(played.ahead)}.values():
        if message.external and message.group and message.group not in told:
            title = policy.group_title(message.group)
            yield f"{title}: not told yet; the first update leaves at +{span(message.at - played.start)}"
    assert history.incident is not None
    for word in first_words(history.incident, policy, history):
        latest = f"+{span(word.leaves_at - played.start)}" if word.leaves_at else ""
        yield f"{policy.group_title(word.group)}: not told yet, {waiting_text(word, latest)}"


def span(length: timedelta) -> str:
    """A span as the config writes it: `1h5m`, `30s`, `0s`."""
    seconds = int(length.total_seconds())
    parts = [(seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "m"), (seconds % 60, "s")]
    return "".join(f"{count}{unit}" for count, unit in parts if count) or "0s"


def _message(message: SimulatedMessage, policy: Policy) -> str:
    """Kind, reader and channel first; then why, and for what."""
    notification, content = message.notification, message.content
    person = policy.people.get(notification.to)
    who = f"{person.name} <{message.address}>" if person else message.address
    level, round_ = notification.level, notification.round
    position = f"level {level}, round {round_}" if level is not None and round_ else ""
    about = ", ".join(part for part in (notification.group, *notification.roles, position) if part)
    why = f"{notification.reason.value}{': ' + about if about else ''}"
    text = "" if content is None else content.text if notification.via.traits.short else content.subject
    shown = f"\n        {' '.join(text.split())}" if text else ""
    return f"{notification.kind.value:<10} {notification.via.value:<5} {who}  ({why}){shown}"
