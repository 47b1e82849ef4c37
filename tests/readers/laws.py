"""What must be true of every message, whoever reads it (`docs/behaviour.md`: what a reader needs). A law gives what is
wrong, in words.
"""

import html
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

from tocsin.app.simulation.play import SimulatedMessage
from tocsin.domain.notification import Kind
from tocsin.text.gsm import fold, segments

from tests.readers.worlds import INSIDE, LATE_TITLE, ReaderWorld

READ_ALOUD_MOST = 50
"""Words that are read aloud in 20 s."""
SEGMENTS = {Kind.UPDATE: 3, Kind.CLOSING: 3}
"""Segments that an SMS may take where it is not one."""
GLUE = re.compile(r"None|\{[a-z_]+\}|%\(|\.\.(?!\.)(?<!\.\.\.)| [,.;:!?](?:\s|$)|\(\)|undefined")
"""What is left where a template forgot that something may be empty."""
_TAGS = re.compile(r"<(script|style|title|head)\b.*?</\1>|<!--.*?-->|<[^>]*>", re.DOTALL)
_TIMES = re.compile(r"\b\d\d:\d\d\b")
_WORDS = re.compile(r"\w+")

Law = Callable[[ReaderWorld, SimulatedMessage], Iterable[str]]


def faults(world: ReaderWorld) -> Iterator[str]:
    """All that is wrong with the messages of a world."""
    for message in world.messages:
        assert message.content is not None
        for law in LAWS:
            for fault in law(world, message):
                notification = message.notification
                what = (
                    f"{notification.kind.value}/{notification.reason.value} to {notification.to} by {notification.via}"
                )
                shown = f"{message.content.subject}\n{message.content.text}"
                yield f"seed {world.seed}: {law.__name__}: {what} at {notification.at:%H:%M}: {fault}\n{shown}"
    yield from one_subject(world)


def fits(_world: ReaderWorld, message: SimulatedMessage) -> Iterator[str]:
    """An SMS takes one segment; updates and the end at most three."""
    if message.notification.via.traits.short:
        count, most = segments(_text(message)), SEGMENTS.get(message.notification.kind, 1)
        if count > most:
            yield f"{count} segments, not {most}"


def is_short_to_hear(_world: ReaderWorld, message: SimulatedMessage) -> Iterator[str]:
    """An SMS of one segment is read aloud in 20 s."""
    if message.notification.via.traits.short and message.notification.kind not in SEGMENTS:
        count = len(_WORDS.findall(_text(message)))
        if count > READ_ALOUD_MOST:
            yield f"{count} words"


def is_in_order(world: ReaderWorld, message: SimulatedMessage) -> Iterator[str]:
    """A page by SMS: organisation, severity, …, the way to answer last."""
    notification, text = message.notification, _text(message)
    if notification.kind is not Kind.PAGE or not notification.via.traits.short:
        return
    if not re.search(r"\bSEV\d\b", text):
        yield "it does not say how bad it is"
        return
    tag = re.search(r"\bSEV\d\b", text)
    name = fold(world.policy.organisation)[:8]
    at = text.find(name) if name and segments(name * 20) == 3 else -1
    if at > (tag.start() if tag else 0):
        yield "who writes comes after how bad it is"
    if "K7" not in text and "/a/" not in text:
        yield "it does not say how to answer"
    elif max(text.rfind("K7"), text.rfind("/a/")) < len(text) - 40:
        yield "the way to answer does not come last"


def keeps_inside_inside(_world: ReaderWorld, message: SimulatedMessage) -> Iterator[str]:
    """Outsiders read nothing internal: no id, role, severity or host, in no part."""
    notification, content = message.notification, message.content
    assert content is not None
    if not notification.external:
        return
    for part in (content.subject, content.text, visible(content.html)):
        for word in (INSIDE, INSIDE.lower(), "SEV1", "SEV2", "SEV3", "sev1", "ETA", "runbooks.", "graphs.", "meet."):
            if word in part:
                yield f"outsiders read {word}"


def says_the_same_twice(_world: ReaderWorld, message: SimulatedMessage) -> Iterator[str]:
    """Text and HTML state the same facts: the same times, and every word of the text but those of commands."""
    content = message.content
    assert content is not None
    if not content.html:
        return
    seen, text = visible(content.html), content.text
    if (times := set(_TIMES.findall(text))) != (others := set(_TIMES.findall(seen))):
        yield f"times differ: only in the text {times - others}, only in the HTML {others - times}"
    if missing := sorted(set(_WORDS.findall(re.sub(r"https?://\S+", "", text))) - set(_WORDS.findall(seen))):
        yield f"only in the text: {' '.join(missing)}"


def keeps_its_promise(world: ReaderWorld, message: SimulatedMessage) -> Iterator[str]:
    """An update says when the next one comes, in the reader's zone; never a time that has passed."""
    notification = message.notification
    if notification.kind is Kind.UPDATE and notification.next_update_at:
        due = _clock(world, message, notification.next_update_at)
        if due not in _text(message):
            yield f"the next update at {due} is not promised"


def leaves_no_glue(_world: ReaderWorld, message: SimulatedMessage) -> Iterator[str]:
    """Nothing of the machine shows, and no sentence lost a part."""
    content = message.content
    assert content is not None
    for part in (content.subject, content.text, visible(content.html)):
        plain = re.sub(r"https?://\S+|\{braces\}(?: %s)?|W{9,}", "word", part)
        if content.language == "fr":  # which sets blanks before them
            plain = re.sub(" ([:;!?»])", r"\1", plain)
        if found := GLUE.search(plain):
            yield f"{found[0]!r} in {plain[max(0, found.start() - 40) : found.end() + 20]!r}"


def marks_drills(world: ReaderWorld, message: SimulatedMessage) -> Iterator[str]:
    """A drill is marked everywhere; nothing else is."""
    content, drill = message.content, "drill: true" in world.story.incident
    assert content is not None
    for part in (content.subject, content.text, visible(content.html)):
        if part and ("DRILL" in part) is not drill:
            yield "a drill is not marked" if drill else "it is marked as a drill"


def one_subject(world: ReaderWorld) -> Iterator[str]:
    """A reader's mails about an incident have one subject for ever, but for an outsider who was told by the title for
    insiders: theirs is the public title from the next mail on, and stays that.
    """
    outsiders = {message.notification.to for message in world.messages if message.notification.external}
    subjects: dict[str, list[str]] = {}
    for message in world.messages:
        if message.content and message.content.subject:
            subjects.setdefault(message.notification.to, []).append(message.content.subject)
    for reader, read in subjects.items():
        changes = [(before, after) for before, after in pairwise(read) if before != after]
        late = reader in outsiders and "public_title" not in world.story.incident
        if changes and not (late and len(changes) == 1 and changes[0][1].endswith(LATE_TITLE)):
            yield f"seed {world.seed}: one_subject: {reader} reads {changes}"


LAWS: tuple[Law, ...] = (
    fits,
    is_short_to_hear,
    is_in_order,
    keeps_inside_inside,
    says_the_same_twice,
    keeps_its_promise,
    leaves_no_glue,
    marks_drills,
)


def visible(markup: str) -> str:
    """What of an HTML body is read."""
    return html.unescape(_TAGS.sub(" ", markup))


def _text(message: SimulatedMessage) -> str:
    assert message.content is not None
    return message.content.text


def _clock(world: ReaderWorld, message: SimulatedMessage, at: datetime) -> str:
    """A time of day as the reader's clock shows it."""
    notification, policy = message.notification, world.policy
    reader = policy.people.get(notification.to) or policy.stakeholders.get(notification.group or "")
    return f"{at.astimezone(ZoneInfo(reader.timezone if reader else 'UTC')):%H:%M}"
