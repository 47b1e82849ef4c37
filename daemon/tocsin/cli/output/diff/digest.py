"""The many changes of a difference as few lines for people: by the config line that did it, by who and by how.

Decides what may be said together: only what is true of every situation named. Must not know text from Markdown.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from tocsin.app.diff.comparison import Change, Moved, Step
from tocsin.app.diff.difference import Difference, Effect
from tocsin.app.diff.levels import MANY, LevelMove, by_level, summed_up
from tocsin.app.diff.scenarios import ScenarioOrigin
from tocsin.cli.output.diff.scenarios import listed, where, which
from tocsin.domain.notification import Kind
from tocsin.domain.policy import RESPONDER
from tocsin.formats.config.changed_lines import Absent, ChangedLine
from tocsin.text.cleaning import cut
from tocsin.text.times import brief
from tocsin.text.yaml import Value

VALUE_LIMIT = 100
"""The longest value that is shown of a changed line, in characters."""
TIMES_MOST = 3
"""The most times that are told of one severity."""
TIMES_SHOWN = 4
"""The most times that are told on one line."""
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")

_PHRASES = {
    (Kind.PAGE, Moved.EARLIER): "paged earlier",
    (Kind.PAGE, Moved.LATER): "paged later",
    (Kind.PAGE, Moved.NEW): "newly paged",
    (Kind.PAGE, Moved.GONE): "no longer paged",
    (Kind.PAGE, Moved.AS): "paged when they were, for other roles",
    (Kind.UPDATE, Moved.AS): "told when they were, but otherwise",
    (Kind.UPDATE, Moved.NEW): "newly told",
    (Kind.UPDATE, Moved.GONE): "no longer told",
    (Kind.UPDATE, Moved.CADENCE): "told at another pace",
}
_AGAIN = {Moved.NEW: "paged more often", Moved.GONE: "paged less often"}


@dataclass(frozen=True, slots=True)
class ReaderBlock:
    """Readers to whom the same happens: what, and one line for each kind of situation in which it does."""

    who: str
    what: str
    rows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LineEffect:
    """A changed line and what it did."""

    line: ChangedLine
    blocks: tuple[ReaderBlock, ...]


@dataclass(frozen=True, slots=True)
class _Sort:
    """In which way messages moved. `via` is named where only that channel moved so; `again` says that messages before
    the one that came or went did not move.
    """

    kind: Kind
    moved: Moved
    via: str
    group: str
    again: bool


@dataclass(frozen=True, slots=True)
class _Times:
    """From when to when."""

    before: timedelta | None
    after: timedelta | None
    roles: str = ""


Story = tuple[tuple[_Times, tuple[str, ...]], ...]
"""From when to when, in which situations."""


def line_effects(difference: Difference) -> tuple[LineEffect, ...]:
    """Every changed line that moved something, in the order of files and lines."""
    by_line: dict[ChangedLine, list[Effect]] = {}
    for effect in difference.effects:
        by_line.setdefault(effect.line, []).append(effect)
    ordered = sorted(by_line, key=lambda line: (line.file, line.line, line.name))
    return tuple(LineEffect(line, _blocks(by_line[line], difference)) for line in ordered)


def _blocks(effects: Sequence[Effect], difference: Difference) -> tuple[ReaderBlock, ...]:
    """What a line did: told of policy tests only where it did nothing else, for they say the same once more."""
    tests = dict.fromkeys(effect.scenario.name for effect in effects if effect.scenario.origin is ScenarioOrigin.TEST)
    others = [effect for effect in effects if effect.scenario.origin is not ScenarioOrigin.TEST]
    if not others or not tests:
        return _shorter(effects, difference)
    several = f"{len(tests)} policy tests" if len(tests) > 1 else "1 policy test"
    return *_shorter(others, difference), ReaderBlock(several, "messages move as well", ())


def _shorter(effects: Sequence[Effect], difference: Difference) -> tuple[ReaderBlock, ...]:
    """Reader by reader; pages of many people by level where that is shorter."""
    pages = [effect for effect in effects if summed_up(effect)]
    if len({effect.change.to for effect in pages}) < MANY:
        return _reader_blocks(effects, difference)
    by_reader = _reader_blocks(pages, difference)
    levels = [_level_block(move, difference) for move in by_level(pages, difference)]
    if len(levels) >= len(by_reader):
        return _reader_blocks(effects, difference)
    rest = [effect for effect in effects if not summed_up(effect) and effect.change.moved is not Moved.AS]
    return *levels, *_reader_blocks(rest, difference)


def _level_block(move: LevelMove, difference: Difference) -> ReaderBlock:
    """`everybody's second level in sev1: paged later — +5m → +7m (38 people)`."""
    level, former = _level(move.step), f" (was {_level(move.former)})" if move.former else ""
    if RESPONDER in move.roles:
        who = f"responders{former}" if move.step[1] == 1 else f"responders of round {move.step[1]}{former}"
    elif move.roles:
        who = f"the {level}{former} of {listed(move.roles)}"
    else:
        who = f"everybody's {level}{former}"
    phrase = _AGAIN[move.moved] if move.again else _PHRASES[Kind.PAGE, move.moved]
    rows = [
        ": ".join(
            filter(None, [where(pages.scenarios, difference), f"{_span_words(*times)} ({_counted(pages.people)})"])
        )
        for times, pages in move.times[:TIMES_SHOWN]
    ]
    left = {person for _, pages in move.times[TIMES_SHOWN:] for person in pages.people}
    more = [f"and {len(move.times) - TIMES_SHOWN} other times ({_counted(left)})"] if left else []
    what = phrase + (f" by {move.via}" if move.via else "")
    return ReaderBlock(f"{who} in {move.severity}", what, (*rows, *more))


def _level(step: Step) -> str:
    """A step of a ladder as people call it: `second level`, `first level of round 2`, `last resort`."""
    level, number = step
    if level is None:
        return "last resort"
    name = f"{_ORDINALS[level]} level" if level < len(_ORDINALS) else f"level {level + 1}"
    return f"{name} of round {number}" if number and number > 1 else name


def _counted(people: Collection[str]) -> str:
    return "1 person" if len(people) == 1 else f"{len(people)} people"


def _reader_blocks(effects: Iterable[Effect], difference: Difference) -> tuple[ReaderBlock, ...]:
    """Readers with the same story told together, the widest stories first."""
    stories: dict[tuple[str, _Sort], dict[_Times, dict[str, None]]] = {}
    for effect in effects:
        change = effect.change
        by_times = stories.setdefault((change.to, _sort(change)), {})
        if not any(effect.scenario.name in names for names in by_times.values()):  # its second channel
            by_times.setdefault(_times(change), {})[effect.scenario.name] = None
    together: dict[tuple[_Sort, Story], list[str]] = {}
    for (reader, sort), rows in stories.items():
        story = tuple((times, tuple(names)) for times, names in rows.items())
        together.setdefault((sort, story), []).append(reader)
    ordered = sorted(together.items(), key=lambda entry: -_width(entry[0][1]))
    roles = [readers for (sort, _), readers in ordered if _only_roles(sort)]
    rest = [entry for entry in ordered if not _only_roles(entry[0][0])]
    blocks = [_block(readers, *about, difference) for about, readers in rest or ordered]
    if rest and roles:
        several = dict.fromkeys(reader for readers in roles for reader in readers)
        blocks.append(ReaderBlock(listed(list(several)), f"{_PHRASES[Kind.PAGE, Moved.AS]}, in some situations", ()))
    return tuple(blocks)


def _only_roles(sort: _Sort) -> bool:
    """Whether pages come when they did, for other roles: told shortly where anything else is told."""
    return sort.kind is Kind.PAGE and sort.moved is Moved.AS


def _width(story: Story) -> int:
    return sum(len(names) for _, names in story)


def _sort(change: Change) -> _Sort:
    via = change.via.value if change.alone else ""
    group = (change.about or change.formerly)[0] if change.kind is Kind.UPDATE else ""
    again = change.kind is Kind.PAGE and change.number > 0 and change.moved in {Moved.NEW, Moved.GONE}
    return _Sort(change.kind, change.moved, via, group, again)


def _times(change: Change) -> _Times:
    roles = ""
    if change.moved is Moved.AS and change.kind is Kind.UPDATE:
        roles = f"in {change.about[1]} words as {change.about[0]}, was {change.formerly[1]} as {change.formerly[0]}"
    elif change.moved is Moved.AS:
        roles = f"as {listed(change.about)} instead of {listed(change.formerly)}"
    return _Times(change.before, change.after, roles)


def _block(readers: Sequence[str], sort: _Sort, story: Story, difference: Difference) -> ReaderBlock:
    who = f"{sort.group} ({listed(readers)})" if sort.group else listed(readers)
    phrase = _AGAIN[sort.moved] if sort.again else _PHRASES[sort.kind, sort.moved]
    what = phrase + (f" by {sort.via}" if sort.via else "")
    by_severity: dict[str, dict[str, list[str]]] = {}
    for times, names in story:
        for name in names:
            by_severity.setdefault(difference.kind_of(name), {}).setdefault(_words(times), []).append(name)
    rows: dict[str, dict[str, list[str]]] = {}
    for severity, moved in by_severity.items():
        place = where([name for several in moved.values() for name in several], difference)
        rows.setdefault(place, {}).setdefault(_some(moved, difference), []).append(severity)
    return ReaderBlock(who, what, tuple(_row(place, moved) for place, moved in rows.items()))


def _row(place: str, moved: dict[str, list[str]]) -> str:
    """`at noon, with checkout: sev1 at once, was after 5m; sev2 …`."""
    shown = [f"{listed(severities)} {words}" for words, severities in [*moved.items()][:TIMES_SHOWN]]
    more = ["and elsewhere"] if len(moved) > TIMES_SHOWN else []
    words = "; ".join([*shown, *more])
    return f"{place}: {words}" if place else words


def _some(moved: Mapping[str, Sequence[str]], difference: Difference) -> str:
    """The most frequent of several times, each with when or how often it is so."""
    if len(moved) == 1:
        return next(iter(moved))
    everywhere = [name for names in moved.values() for name in names]
    ordered = sorted(moved.items(), key=lambda entry: -len(entry[1]))
    shown = [f"{words} {which(names, everywhere, difference)}" for words, names in ordered[:TIMES_MOST]]
    left = [name for _, names in ordered[TIMES_MOST:] for name in names]
    return ", ".join([*shown, *([f"other times {which(left, everywhere, difference)}"] if left else [])])


def _words(times: _Times) -> str:
    """`+5m → +0s`, counted from the declaration."""
    return times.roles or _span_words(times.before, times.after)


def _span_words(was: timedelta | None, now: timedelta | None) -> str:
    before, after = (None if moment is None else f"+{brief(moment)}" for moment in (was, now))
    if before and after:
        return f"{before} → {after}"
    return after or f"was {before}"


def edit(line: ChangedLine) -> str:
    """What was edited: `severities.sev1.page.acknowledge_within: 5m → 10m`."""
    if line.before is None and line.after is None:
        return line.name
    if isinstance(line.before, Absent):
        return f"{line.name} added" if isinstance(line.after, dict) else f"{line.name} added: {value(line.after)}"
    if isinstance(line.after, Absent):
        return f"{line.name} removed" if isinstance(line.before, dict) else f"{line.name} removed: {value(line.before)}"
    return f"{line.name}: {value(line.before)} → {value(line.after)}"


def value(written: Value | Absent) -> str:
    """A value as it could stand in the file, on one line."""
    return cut(_flow(written), VALUE_LIMIT)


def _flow(written: Value | Absent) -> str:
    if isinstance(written, dict):
        return "{" + ", ".join(f"{key}: {_flow(entry)}" for key, entry in written.items()) + "}"
    if isinstance(written, list):
        return "[" + ", ".join(map(_flow, written)) + "]"
    return "null" if written is None or isinstance(written, Absent) else written
