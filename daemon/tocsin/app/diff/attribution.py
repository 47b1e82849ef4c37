"""Which changed line of the config moved a message.

Decides by trial: had this line stayed as it was, would the message have moved? Where no line alone decides, one whose
trial moves it otherwise; else one that names the reader; else the message's own rule.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from tocsin.app.configuration.policy_parts import PolicyParts
from tocsin.app.configuration.read_tree import read_tree
from tocsin.app.configuration.revisions import ComparedConfig
from tocsin.app.diff.comparison import Change, Moved
from tocsin.app.diff.plays import Plays
from tocsin.app.diff.scenarios import Scenario
from tocsin.formats.config.changed_lines import ChangedLine, files_without_change, find_changed_lines

TRIALS_MOST = 40
"""The most lines that are tried; of a change of more lines the others are judged by the names in them."""


class Attribution:
    """The changed lines between two configs, the `plays` of both, and the trials made of them. `involved` are the lines
    whose trial moved something, or could not be made.
    """

    def __init__(
        self, old: ComparedConfig, new: ComparedConfig, folder: Path, at: datetime, environ: Mapping[str, str]
    ) -> None:
        self.lines = find_changed_lines(old.declared, new.declared)
        self.involved: set[ChangedLine] = set()
        self.plays = Plays(old.parts, new.parts)
        self._old, self._new = old, new
        self._folder, self._at, self._environ = folder, at, environ
        self._trials: dict[ChangedLine, PolicyParts | None] = {}

    def lines_of(self, scenario: Scenario, changes: Sequence[Change]) -> list[tuple[Change, ChangedLine]]:
        """Each change of a scenario with the line that did it."""
        candidates = self._candidates(scenario) or list(self.lines)
        trials = {line: self._try(line, scenario) for line in candidates} if len(candidates) > 1 else {}
        courses = {change.reader: _course(change) for change in changes}
        self.involved |= {line for line, moved in trials.items() if _courses(moved) != courses}
        return [(change, self._line_behind(change, candidates, trials)) for change in changes]

    def _candidates(self, scenario: Scenario) -> list[ChangedLine]:
        """The lines that the scenario depends on."""
        if not scenario.fixed:
            return list(self.lines)
        severity, services = scenario.severity, scenario.services
        concerned = {*self._old.parts.of(severity, services), *self._new.parts.of(severity, services)}
        names = {*concerned, ("severities", severity), *(("services", name) for name in services)}
        return [
            line
            for line in self.lines
            if line.path[:2] in names or line.path[0] in {"last_resort", "unreadable_severity"} or len(line.path) == 1
        ]

    def _try(self, line: ChangedLine, scenario: Scenario) -> dict[object, Change] | None:
        """What would have moved without this line, by reader; None when that cannot be known."""
        parts = self._without(line)
        return None if parts is None else {change.reader: change for change in self.plays.moved(parts, scenario)}

    def _without(self, line: ChangedLine) -> PolicyParts | None:
        """The new config, had this line stayed as it was; None when that would be no good config."""
        if line not in self._trials:
            self._trials[line] = None
            if len(self._trials) <= TRIALS_MOST:
                for files in files_without_change(self._old.declared, self._new.declared, self.lines, line):
                    configuration = read_tree(files, self._folder, self._at, self._environ, was_in_force=True)
                    if configuration.policy is not None:
                        self._trials[line] = PolicyParts(configuration.policy)
                        break
        return self._trials[line]

    def _line_behind(
        self,
        change: Change,
        candidates: list[ChangedLine],
        trials: Mapping[ChangedLine, Mapping[object, Change] | None],
    ) -> ChangedLine:
        if len(candidates) == 1:
            return candidates[0]
        without, otherwise = [], []
        for line, moved in trials.items():
            if moved is not None and change.reader not in moved:
                without.append(line)
            elif moved is not None and _course(moved[change.reader]) != _course(change):
                otherwise.append(line)
        naming = [line for line in candidates if _names(line, change.to)]
        lines = [*without, *otherwise, *naming]
        return lines[0] if lines else _rule(change)


def _courses(moved: Mapping[object, Change] | None) -> dict[object, object] | None:
    return None if moved is None else {reader: _course(change) for reader, change in moved.items()}


def _course(change: Change) -> tuple[object, ...]:
    """How a message moved; what else differs is attributed to no line."""
    roles = (change.about, change.formerly) if change.moved is Moved.AS else ()
    return change.moved, change.before, change.after, roles


def _names(line: ChangedLine, reader: str) -> bool:
    """Whether a line names a reader now and did not before, or the other way round."""
    was, now = (reader in _words(value) for value in (line.before, line.after))
    return was != now or reader in line.path


def _words(value: object) -> set[str]:
    if isinstance(value, dict):
        return {word for item in value.values() for word in _words(item)}
    if isinstance(value, list):
        return {word for item in value for word in _words(item)}
    return {value} if isinstance(value, str) else set()


def _rule(change: Change) -> ChangedLine:
    """The message's own rule, for a change that no line explains."""
    file, _, line = change.rule.rpartition(":")
    return ChangedLine((), None, None, file or change.rule, int(line) if line.isdecimal() else 1)
