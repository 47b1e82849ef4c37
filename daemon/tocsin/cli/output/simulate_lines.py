"""A simulation as lines for people: one for each message and each part of a step, those of one instant together."""

from collections.abc import Iterator
from datetime import datetime
from textwrap import indent

from tocsin.app.simulation.play import SimulatedMessage, Simulation
from tocsin.app.simulation.step_effects import effect_of
from tocsin.cli.output.terminal.line import Line, Mark, marked
from tocsin.domain.notification import Kind
from tocsin.domain.policy import Policy
from tocsin.planning.current_state import first_words
from tocsin.text.times import brief
from tocsin.wording.report.reason_text import waiting_text


def lines(played: Simulation, policy: Policy, *, bodies: bool = False) -> Iterator[str]:
    """What happens, in time order, and when the next message comes: at each instant first the script's steps, then the
    messages; with `bodies` the whole text of mails.
    """
    yield f"{played.incident}, first seen {played.start:%a %d %b %Y %H:%M:%S} UTC"
    messages: dict[datetime, list[SimulatedMessage]] = {}
    for message in played.messages:
        messages.setdefault(message.notification.at, []).append(message)
    effects = _effects(played, policy)
    for at in sorted({*messages, *effects}):
        yield ""
        yield marked(f"+{brief(at - played.start)}  {at:%a %H:%M:%S}", Mark.TITLE)
        yield from effects.get(at, ())
        for message in messages.get(at, ()):
            yield from _message(message, policy, bodies)
    yield ""
    if not played.messages:
        over = played.history.incident is not None and played.history.incident.resolved and not played.parts
        why = ": the file says that it is resolved, and what is first seen so is told to nobody" if over else ""
        yield f"nothing is sent in this time{why}"
    yield from _untold(played, policy)
    if played.unplayed:
        count = "1 step of the script comes" if played.unplayed == 1 else f"{played.unplayed} steps of the script come"
        yield f"{count} after this and {'was' if played.unplayed == 1 else 'were'} not played (--for shows more)"
    yield f"next message: {played.next_at:%a %d %b %H:%M:%S} UTC" if played.next_at else "nothing comes after this"


def _effects(played: Simulation, policy: Policy) -> dict[datetime, list[str]]:
    """Each part of the script's steps with what it did, by instant."""
    paged_at: dict[str, list[datetime]] = {}
    for message in played.messages:
        if message.notification.kind is Kind.PAGE:
            paged_at.setdefault(message.notification.to, []).append(message.notification.at)
    lines_at: dict[datetime, list[str]] = {}
    for part in played.parts:
        effect = effect_of(part, policy, paged_at)
        action = f"  > {effect.action}"
        if effect.in_vain:
            line = Line(action, "  (", marked("no effect", Mark.WARNING), f": {effect.effect})", hang=4)
        else:
            line = Line(action, f"  ({effect.effect})" if effect.effect else "", hang=4)
        lines_at.setdefault(part.at, []).append(line)
    return lines_at


def _untold(played: Simulation, policy: Policy) -> Iterator[str]:
    """Which outsiders have heard nothing by the end, and until when that is so (rule 56)."""
    history = played.history
    told = {message.notification.group for message in played.messages}
    for message in {message.group: message for message in reversed(played.ahead)}.values():
        if message.external and message.group and message.group not in told:
            title = policy.group_title(message.group)
            yield f"{title}: not told yet; the first update leaves at +{brief(message.at - played.start)}"
    assert history.incident is not None
    for word in first_words(history.incident, policy, history):
        latest = f"+{brief(word.leaves_at - played.start)}" if word.leaves_at else ""
        yield f"{policy.group_title(word.group)}: not told yet, {waiting_text(word, latest)}"


def _message(message: SimulatedMessage, policy: Policy, bodies: bool) -> Iterator[str]:
    """Kind, reader and channel first; then why, and for what; below what an SMS says, or a mail's subject."""
    notification, content = message.notification, message.content
    person = policy.people.get(notification.to)
    who = f"{person.name} <{message.address}>" if person else message.address
    level, round_ = notification.level, notification.round
    position = f"level {level}, round {round_}" if level is not None and round_ else ""
    about = ", ".join(part for part in (notification.group, *notification.roles, position) if part)
    why = f"{notification.reason.value}{': ' + about if about else ''}"
    text = "" if content is None else content.text if notification.via.traits.short else content.subject
    yield Line(f"    {notification.kind.value:<10} {notification.via.value:<5} {who}  ({why})", hang=21)
    if text:
        yield Line(f"        {' '.join(text.split())}", hang=8)
    if content and bodies and not notification.via.traits.short:
        yield from indent(content.text.strip(), "          ").split("\n")
