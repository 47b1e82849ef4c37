"""What an act will do, and what outsiders will read, for whoever is about to do it; and what has changed since they
opened their form. All of it comes from the plan and from the renderer of the messages themselves.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from tocsin.app.edits.conflicts import author
from tocsin.app.edits.edited import edited
from tocsin.app.edits.effect_words import OutsideText, effect_sentences, outside_texts
from tocsin.app.edits.effects import Effects, answer_effects, effects
from tocsin.domain.facts import Answer, Seen
from tocsin.domain.incident import Edit, Incident, Status, UpdateEntry
from tocsin.domain.policy import Policy
from tocsin.planning.history.versions import new_entries
from tocsin.ports.renderer import Renderer
from tocsin.text.cleaning import clean, cut, one_line
from tocsin.text.times import clock
from tocsin.web.acting.actor import Actor
from tocsin.web.acting.acts import Act
from tocsin.wording.language.language import ENGLISH

CHANGES_MOST = 5
"""Changes since the form was opened that are told, the newest."""
QUOTED_MOST = 140


@dataclass(frozen=True, slots=True)
class Preview:
    """`sentences` say what would come of it, `texts` what outsiders read, `press` what the button says."""

    sentences: tuple[str, ...]
    texts: tuple[OutsideText, ...]
    press: str
    wakes: bool = False


def preview(actor: Actor, act: Act, edit: Edit, renderer: Renderer) -> Preview:
    """What an act would do now."""
    shown = act_effects(actor, act, edit)
    sentences = effect_sentences(shown, actor.policy, actor.person.timezone, actor.now) + _untold(edit, shown, actor)
    texts = outside_texts(shown, actor.policy, renderer)
    return Preview(sentences, texts, press_label(act, edit, shown, actor), bool(shown.pages))


def _untold(edit: Edit, shown: Effects, actor: Actor) -> tuple[str, ...]:
    """Whom nobody tells that they were given a role, where its severity pages nobody: somebody must call them."""
    role, name = edit.role or ("", "")
    person, known = actor.policy.people.get(name), actor.history.roles.get(role)
    is_paged = any(asked.person == name for asked in (*shown.pages, *shown.takes_over))
    knows = known is not None and known.needed and (known.holder == name or known.was_paged(name))
    if person is None or name == actor.person.id or is_paged or knows:
        return ()
    number = f": call them, {person.phone}" if person.phone else ""
    return (f"Nobody tells {person.name} of it{number}.",)


def act_effects(actor: Actor, act: Act, edit: Edit) -> Effects:
    """The same as the plan has it."""
    policy, history, now = actor.policy, actor.history, actor.now
    if act in (Act.OK, Act.PASS) or (act is Act.HEALTHY and actor.options.confirms):
        answer = Answer.PASS if act is Act.PASS else Answer.OK
        return answer_effects(history, actor.person.id, answer, policy, now)
    if act is Act.UNHEALTHY:
        edit = replace(edit, status=Status.INVESTIGATING, resolution="", no_eta=True)
    stamped = replace(
        edit,
        entry=_stamped(edit.entry, actor),
        note=replace(edit.note, at=now, by=actor.person.id) if edit.note else None,
    )
    return effects(actor.incident, edited(actor.incident, stamped), policy, history, now)


def _stamped(entry: UpdateEntry | None, actor: Actor) -> UpdateEntry | None:
    return replace(entry, at=actor.now, by=actor.person.id) if entry else None


def press_label(act: Act, edit: Edit, shown: Effects, actor: Actor) -> str:
    """What the button says: what happens when it is pressed."""
    return _LABELS[act](edit, shown, actor)


def _paged_names(shown: Effects, policy: Policy) -> str:
    """Who is woken, the first few."""
    names = list(dict.fromkeys(policy.person_name(person.person) for person in shown.pages if person.at is None))
    if len(names) > 2:
        return f"{names[0]} and {len(names) - 1} more"
    return ENGLISH.listed(names)


def changed_since(actor: Actor, version: str) -> tuple[str, ...]:
    """What has become of the incident since the version that a form was made from: when, by whom, what it was and what
    it is.
    """
    versions = [fact for fact in actor.facts if isinstance(fact, Seen)]
    known = [place for place, fact in enumerate(versions) if fact.digest == version]
    if not version or not known:
        return ()
    later = versions[known[-1] :]
    told = [sentence for old, new in pairwise(later) if (sentence := _change(actor, old, new))]
    return tuple(told[-CHANGES_MOST:])


def _change(actor: Actor, old: Seen, new: Seen) -> str:
    """One version's changes, in a sentence; empty where it has none that count here."""
    changes = list(_changes(old.incident, new.incident, actor))
    if not changes:
        return ""
    who = actor.policy.person_name(author(old.incident, new.incident))
    when = clock(new.at, actor.person.timezone, actor.now)
    return f"{when}{', ' + who if who else ''}: {'; '.join(changes)}."


def _changes(old: Incident, new: Incident, actor: Actor) -> Iterator[str]:
    def at(incident: Incident) -> str:
        return clock(incident.eta, actor.person.timezone, actor.now) if incident.eta else "none"

    pairs = {
        "severity": (old.severity.upper(), new.severity.upper()),
        "status": (old.status.value, new.status.value),
        "estimate": (at(old), at(new)),
        "impact": (_short(old.impact), _short(new.impact)),
        "title for outsiders": (_short(old.public_title), _short(new.public_title)),
        "title": (_short(old.title), _short(new.title)),
    }
    for name, (before, after) in pairs.items():
        if before != after:
            yield f"{name} was {before or 'empty'}, is {after or 'empty'} now"
    for role, person in new.roles:
        if old.assigned(role) != person:
            name = actor.policy.person_name(person)
            yield f"{name} was asked to be {actor.policy.role_title(role)}"
    for entry in new_entries(old, new):
        words = [f"“{_short(entry.text)}”"] if entry.text else []
        words += [f"for outsiders “{_short(entry.public)}”"] if entry.public else []
        yield f"wrote {' and '.join(words)}"


def _short(text: str) -> str:
    return cut(one_line(clean(text)), QUOTED_MOST)


def _groups(shown: Effects) -> str:
    number = len(shown.groups)
    return f"{number} group{'' if number == 1 else 's'}"


def _tells(what: Callable[[Edit], str]) -> Callable[[Edit, Effects, Actor], str]:
    """What is set, and how many groups that tells."""
    return lambda edit, shown, _actor: f"{what(edit)}: tell {_groups(shown) if shown.groups else 'nobody now'}"


def _update(_edit: Edit, shown: Effects, _actor: Actor) -> str:
    return f"Send to {_groups(shown)}" if shown.groups else "Write it down: nobody is told now"


def _assign(edit: Edit, shown: Effects, actor: Actor) -> str:
    role, person = edit.role or ("", "")
    pages = "page now" if shown.pages else "page nobody"
    return f"Make {actor.policy.person_name(person)} {actor.policy.role_title(role)}: {pages}"


def _resolve(_edit: Edit, shown: Effects, _actor: Actor) -> str:
    number = shown.readers
    return f"Resolve it: tell {number} reader{'' if number == 1 else 's'}" if number else "Resolve it: tell nobody"


def _pages(what: Callable[[Edit], str]) -> Callable[[Edit, Effects, Actor], str]:
    """What is done, and whom that wakes."""

    def label(edit: Edit, shown: Effects, actor: Actor) -> str:
        return f"{what(edit)}: page {_paged_names(shown, actor.policy) or 'nobody'}"

    return label


_LABELS: Mapping[Act, Callable[[Edit, Effects, Actor], str]] = {
    Act.OK: lambda _edit, _shown, actor: actor.accept_label,
    Act.PASS: lambda edit, shown, actor: _pages(lambda _edit: "Pass")(edit, shown, actor) if shown.pages else "Pass",
    Act.NOTE: lambda _edit, _shown, _actor: "Write the note",
    Act.UPDATE: _update,
    Act.STATUS: _tells(lambda edit: f"Set it to {edit.status}"),
    Act.SEVERITY: _pages(lambda edit: f"Make it {(edit.severity or '').upper()}"),
    Act.ETA: _tells(lambda edit: "Take the estimate out" if edit.no_eta else "Set the estimate"),
    Act.IMPACT: _tells(lambda _edit: "Set the impact"),
    Act.RESOLVE: _resolve,
    Act.HEALTHY: lambda _edit, _shown, _actor: "Healthy: nothing more to do",
    Act.UNHEALTHY: _pages(lambda _edit: "Not healthy"),
    Act.ASSIGN: _assign,
    Act.TITLE: _tells(lambda _edit: "Set the title"),
    Act.REVIEWED: lambda _edit, _shown, _actor: "The review is done",
}
