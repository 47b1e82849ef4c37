"""What moves in each scenario between two configs, with the line that did it.

Decides which scenarios are alike, so that one answer is that of all.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tocsin.app.configuration.revisions import ComparedConfig
from tocsin.app.diff.attribution import Attribution
from tocsin.app.diff.comparison import Change
from tocsin.app.diff.scenarios import Scenario
from tocsin.app.diff.words import ChangedWords
from tocsin.formats.config.changed_lines import ChangedLine


@dataclass(frozen=True, slots=True)
class Effect:
    """One change in one scenario, and the line that did it."""

    scenario: Scenario
    change: Change
    line: ChangedLine


@dataclass(frozen=True, slots=True)
class Difference:
    """Everything that moved, the scenarios looked at, the changed lines that moved nothing in any of them (`idle`),
    and those that had a part in what another line is blamed for (`besides`); and whose `words` change.
    """

    old: ComparedConfig
    new: ComparedConfig
    scenarios: tuple[Scenario, ...]
    effects: tuple[Effect, ...]
    idle: tuple[ChangedLine, ...]
    besides: tuple[ChangedLine, ...]
    words: tuple[ChangedWords, ...] = ()

    def kind_of(self, name: str) -> str:
        """The severity of a fixed scenario, the name of any other."""
        return next(
            scenario.severity if scenario.fixed else name for scenario in self.scenarios if scenario.name == name
        )


def differ(
    old: ComparedConfig,
    new: ComparedConfig,
    scenarios: Sequence[Scenario],
    attribution: Attribution,
    progress: Callable[[int], None],
    words: tuple[ChangedWords, ...] = (),
) -> Difference:
    """Play all scenarios. `progress` hears how many are done, for whoever waits."""
    effects: list[Effect] = []
    same = old.parts.everything() == new.parts.everything()
    known: dict[tuple[object, ...], list[tuple[Change, ChangedLine]]] = {}
    for number, scenario in enumerate(() if same else scenarios):
        key = _alike(old, new, scenario)
        if key not in known:
            known[key] = _play(new, scenario, attribution)
        effects += [Effect(scenario, change, line) for change, line in known[key]]
        progress(number + 1)
    attributed = {effect.line for effect in effects}
    rest = [line for line in attribution.lines if line not in attributed]
    idle = tuple(line for line in rest if line not in attribution.involved)
    besides = tuple(line for line in rest if line in attribution.involved)
    return Difference(old, new, tuple(scenarios), tuple(effects), idle, besides, words)


def _alike(old: ComparedConfig, new: ComparedConfig, scenario: Scenario) -> tuple[object, ...]:
    """Scenarios with the same key go the same way: a service that adds nothing is as none."""
    if not scenario.fixed:
        return (scenario.name,)
    services = tuple(name for name in scenario.services if not (old.parts.plain(name) and new.parts.plain(name)))
    return scenario.severity, services, scenario.moment


def _play(new: ComparedConfig, scenario: Scenario, attribution: Attribution) -> list[tuple[Change, ChangedLine]]:
    """What moved in one scenario."""
    changes = attribution.plays.moved(new.parts, scenario)
    return attribution.lines_of(scenario, changes) if changes else []
