"""What an act would do, in sentences for whoever is about to do it: whom it pages, whom it stands down, who hears, what
outsiders do not hear and why; and what they read, in the very words of the message.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from tocsin.app.edits.effects import AskedPerson, Effects, HeldBack, WithheldGroup
from tocsin.domain.policy import Policy
from tocsin.ports.renderer import Renderer
from tocsin.text.times import clock
from tocsin.wording.language.language import ENGLISH

NAMED_MOST = 4
"""Groups that are named one by one."""
PEOPLE_MOST = 6
"""People that are named one by one."""


@dataclass(frozen=True, slots=True)
class OutsideText:
    """What outsiders read, word for word: the titles of the groups, and by which channel; an SMS has no subject."""

    groups: tuple[str, ...]
    channel: str
    subject: str
    text: str


def effect_sentences(effects: Effects, policy: Policy, zone: str, now: datetime) -> tuple[str, ...]:
    """What would happen at once, the waking first; times on the wall clock of `zone`."""

    def at(moment: datetime) -> str:
        return clock(moment, zone, now)

    sentences = [*_paged(effects, policy, at), *_stood_down(effects, policy), *_told(effects, policy)]
    if effects.tells_nobody:
        sentences.append("Pages nobody, and tells nobody now.")
    elif not effects.pages:
        sentences.append("Pages nobody.")
    sentences += [_withheld(group, policy, at) for group in effects.held]
    if effects.verifiers:
        asked = effects.verifiers[0]
        moment = f" at {at(asked.at)}" if asked.at else ""
        sentences.append(f"Asks {_people(effects.verifiers, policy, roles=False)}{moment} whether all is healthy.")
    if effects.reviewers:
        sentences.append(f"Asks {_people(effects.reviewers, policy, roles=False)} for the review.")
    return tuple(sentences)


def outside_texts(effects: Effects, policy: Policy, renderer: Renderer) -> tuple[OutsideText, ...]:
    """What outsiders read of it. Groups that read the same are named together."""
    texts: dict[tuple[str, str, str], list[str]] = {}
    for message in effects.messages:
        notification, history = message.due.notification, message.due.history
        assert history.incident is not None
        content = renderer.render(notification, history.incident, history, policy)
        key = (notification.via.traits.word, content.subject, content.text.strip())
        texts.setdefault(key, []).append(policy.group_title(message.group))
    return tuple(
        OutsideText(tuple(dict.fromkeys(groups)), word, subject, text)
        for (word, subject, text), groups in texts.items()
    )


def _paged(effects: Effects, policy: Policy, at: Callable[[datetime], str]) -> Iterator[str]:
    now = [person for person in effects.pages if person.at is None]
    if now:
        yield f"Pages {_people(now, policy)} now."
    for moment in dict.fromkeys(person.at for person in effects.pages if person.at is not None):
        later = [person for person in effects.pages if person.at == moment]
        yield f"Pages {_people(later, policy)} at {at(moment)}: not before, by the hours of this severity."
    for person in effects.takes_over:
        role = person.roles[0]
        holder = policy.person_name(effects.history.holder(role))
        name = policy.person_name(person.person)
        yield f"{holder} stays {policy.role_title(role)} until {name} accepts."


def _stood_down(effects: Effects, policy: Policy) -> Iterator[str]:
    if effects.stood_down:
        yield f"Stands down {_people(effects.stood_down, policy)}."


def _told(effects: Effects, policy: Policy) -> Iterator[str]:
    """Which groups hear; outsiders are never left unnamed."""
    titles = [policy.group_title(name) + (" (outside)" if name in effects.outside else "") for name in effects.groups]
    number = len(titles)
    count = f"{number} group{'' if number == 1 else 's'}"
    if effects.ends:
        among = f", {ENGLISH.listed(_titles(effects.outside, policy))} (outside) among them" if effects.outside else ""
        yield f"Tells everybody who heard of it ({effects.readers}) that it is over{among}."
    elif 0 < number <= NAMED_MOST:
        yield f"Tells {count}: {ENGLISH.listed(titles)}."
    elif effects.outside:
        yield f"Tells {count}, {ENGLISH.listed(_titles(effects.outside, policy))} (outside) among them."
    elif number:
        yield f"Tells {count}, nobody outside."


def _withheld(group: WithheldGroup, policy: Policy, at: Callable[[datetime], str]) -> str:
    title = f"{policy.group_title(group.group)} (outside)"
    next_word = f" They hear next by {at(group.next_at)}." if group.next_at else ""
    match group.why:
        case HeldBack.DRILL:
            return f"{title} hear nothing: it is a drill."
        case HeldBack.NEVER_TOLD:
            return f"{title} hear nothing: they never heard of it."
        case HeldBack.NO_READER:
            return f"{title} would hear of it, but nobody reads it there."
        case HeldBack.FIRST_WORD:
            latest = f"; at the latest they hear at {at(group.next_at)}" if group.next_at else ""
            return f"{title} have heard nothing yet and hear nothing now: they wait for {group.waits_for}{latest}."
        case HeldBack.NOT_VISIBLE:
            why = "there is no public text" if group.without_public else "outsiders do not see this"
            return f"{title} hear nothing of it: {why}.{next_word}"


def _titles(groups: Iterable[str], policy: Policy) -> list[str]:
    return [policy.group_title(name) for name in groups]


def _people(people: Iterable[AskedPerson], policy: Policy, *, roles: bool = True) -> str:
    """Who, and as what; of many the first few."""
    names = []
    for person in people:
        titles = ENGLISH.listed([policy.role_title(role) for role in person.roles])
        names.append(policy.person_name(person.person) + (f" ({titles})" if roles and titles else ""))
    more = len(names) - PEOPLE_MOST
    return ENGLISH.listed([*names[:PEOPLE_MOST], f"{more} more"] if more > 0 else names)
