"""Pages that moved alike for many people, summed up by the level of the ladder on which they stand.

A change of a severity moves hundreds of pages in one way; told person by person nobody sees that. Decides which pages
belong together and whether they are all of their level; must not know words.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from tocsin.app.diff.comparison import Moved, Step
from tocsin.app.diff.difference import Difference, Effect
from tocsin.domain.notification import Kind
from tocsin.domain.policy import RESPONDER, Policy

MANY = 8
"""From so many people on pages are told by level."""

Times = tuple[timedelta | None, timedelta | None]
"""From when to when, counted from the declaration."""


@dataclass(frozen=True, slots=True)
class MovedPages:
    """To whom it happens, and in which situations."""

    people: frozenset[str]
    scenarios: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LevelMove:
    """Pages of one severity and step that moved in one way, by their times. `step` is where they stand, or stood if
    they come no more, `former` where they stood if that is another. `roles` are those concerned, none: all that have
    such a level. `via` is named where only that channel moved so; `again`: the messages before did not move.
    """

    severity: str
    step: Step
    former: Step | None
    moved: Moved
    via: str
    again: bool
    roles: tuple[str, ...]
    times: tuple[tuple[Times, MovedPages], ...]

    @property
    def people(self) -> int:
        """How many people it concerns."""
        return len({person for _, pages in self.times for person in pages.people})


def summed_up(effect: Effect) -> bool:
    """Whether it can be told by level: a page of a fixed scenario that moved, came or went."""
    change = effect.change
    return effect.scenario.fixed and change.kind is Kind.PAGE and change.moved is not Moved.AS


def by_level(effects: Iterable[Effect], difference: Difference) -> tuple[LevelMove, ...]:
    """Pages by severity and step, the earliest steps first. Only those of which `summed_up` holds may be given."""
    together: dict[tuple[object, ...], list[Effect]] = {}
    for effect in effects:
        change = effect.change
        step = change.step or change.former_step
        former = change.former_step if change.former_step != step else None
        responds = (change.about or change.formerly)[:1] == (RESPONDER,)
        via, again = change.via.value if change.alone else "", change.number > 0
        again = again and change.moved in {Moved.NEW, Moved.GONE}
        key = effect.scenario.severity, responds, step, former, change.moved, via, again
        together.setdefault(key, []).append(effect)
    moves = [_level_move(alike, difference) for alike in together.values()]
    order = list(dict.fromkeys([*difference.new.policy.severities, *difference.old.policy.severities]))
    return tuple(sorted(moves, key=lambda move: (order.index(move.severity), _place(move.step))))


def _level_move(effects: list[Effect], difference: Difference) -> LevelMove:
    first = effects[0].change
    step = first.step or first.former_step
    assert step is not None
    times: dict[Times, tuple[set[str], dict[str, None]]] = {}
    roles: dict[str, None] = {}
    for effect in effects:
        change = effect.change
        people, scenarios = times.setdefault((change.before, change.after), (set(), {}))
        people.add(change.to)
        scenarios[effect.scenario.name] = None
        roles.update(dict.fromkeys(change.about or change.formerly))
    severity = effects[0].scenario.severity
    if (first.about or first.formerly)[:1] != (RESPONDER,):
        roles.pop(RESPONDER, None)
        policy = difference.old.policy if first.moved is Moved.GONE else difference.new.policy
        if set(roles) >= _roles_with(policy, severity, step):
            roles = {}
    else:
        roles = {RESPONDER: None}
    return LevelMove(
        severity,
        step,
        first.former_step if first.former_step != step else None,
        first.moved,
        first.via.value if first.alone else "",
        first.number > 0 and first.moved in {Moved.NEW, Moved.GONE},
        tuple(roles),
        tuple(
            (moment, MovedPages(frozenset(people), tuple(scenarios)))
            for moment, (people, scenarios) in sorted(times.items(), key=lambda entry: -len(entry[1][0]))
        ),
    )


def _roles_with(policy: Policy, severity: str, step: Step) -> set[str]:
    """The severity's roles that have such a level in a chain."""
    page = policy.severity(severity).page
    if page is None:
        return set()
    level = step[0] or 0
    chains = {name: [policy.roles[name].chain] for name in page.roles if name in policy.roles}
    for service in policy.services.values():
        for name, chain in service.roles:
            chains.setdefault(name, []).append(chain)
    return {name for name in page.roles if any(len(chain) > level for chain in chains.get(name, []))}


def _place(step: Step) -> tuple[int, int]:
    """Where a step stands among others; the last resort is the last."""
    level, number = step
    return (number if number is not None else 1_000_000, level or 0)
