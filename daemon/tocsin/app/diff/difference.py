"""Difference: the situations walked with two configs, and what moved in each, with the line that did it.

Decides which situations need no walking because nothing they depend on changed. Must not know git nor how it is told.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tocsin.app.configuration.revisions import ComparedConfig
from tocsin.app.diff.attribution import Attribution, play_scenario
from tocsin.app.diff.comparison import Change, compare
from tocsin.app.diff.scenarios import Scenario, spans_of
from tocsin.formats.config.changed_lines import ChangedLine


@dataclass(frozen=True, slots=True)
class Effect:
    """One change in one situation, and the line that did it."""

    situation: Scenario
    change: Change
    line: ChangedLine


@dataclass(frozen=True, slots=True)
class Difference:
    """Everything that moved, the situations looked at, the changed lines that moved nothing in any of them (`idle`),
    and those that had a part in what another line is blamed for (`besides`).
    """

    old: ComparedConfig
    new: ComparedConfig
    situations: tuple[Scenario, ...]
    effects: tuple[Effect, ...]
    idle: tuple[ChangedLine, ...]
    besides: tuple[ChangedLine, ...]

    def kind_of(self, name: str) -> str:
        """The severity of a fixed situation, the name of any other."""
        return next(each.severity if each.fixed else name for each in self.situations if each.name == name)


def differ(
    old: ComparedConfig,
    new: ComparedConfig,
    situations: Sequence[Scenario],
    blame: Attribution,
    tell: Callable[[int], None],
) -> Difference:
    """Walk all situations. `tell` hears how many are done, for whoever waits."""
    effects: list[Effect] = []
    same = old.parts.everything() == new.parts.everything()
    known: dict[tuple[object, ...], list[tuple[Change, ChangedLine]]] = {}
    for number, situation in enumerate(() if same else situations):
        key = _alike(old, new, situation)
        if key not in known:
            known[key] = _walk(old, new, situation, blame)
        effects += [Effect(situation, change, line) for change, line in known[key]]
        tell(number + 1)
    guilty = {effect.line for effect in effects}
    rest = [line for line in blame.lines if line not in guilty]
    idle = tuple(line for line in rest if line not in blame.suspects)
    besides = tuple(line for line in rest if line in blame.suspects)
    return Difference(old, new, tuple(situations), tuple(effects), idle, besides)


def _alike(old: ComparedConfig, new: ComparedConfig, situation: Scenario) -> tuple[object, ...]:
    """Situations with the same key go the same way: a service that adds nothing is as none."""
    if not situation.fixed:
        return (situation.name,)
    services = tuple(each for each in situation.services if not (old.parts.plain(each) and new.parts.plain(each)))
    return situation.severity, services, situation.moment


def _walk(
    old: ComparedConfig, new: ComparedConfig, situation: Scenario, blame: Attribution
) -> list[tuple[Change, ChangedLine]]:
    """What moved in one situation."""
    severity, services = situation.severity, situation.services
    both = all(severity in side.policy.severities for side in (old, new))
    if situation.fixed and both and old.parts.of(severity, services) == new.parts.of(severity, services):
        return []
    before, after = (play_scenario(side.policy, situation, old, new) for side in (old, new))
    span, _ = spans_of((old.policy, new.policy), situation)
    changes = compare(before, after, span)
    return blame.lines_of(situation, before, changes) if changes else []
