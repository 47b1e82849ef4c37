"""What `tocsin diff` prints for people: lines of text, or a Markdown comment for a merge request.

Decides the words around the digest. Must not know how changes are found or put together.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

from tocsin.app.configuration.load import label_of
from tocsin.app.configuration.revisions import WORK_TREE, ComparedConfig
from tocsin.app.diff.difference import Difference
from tocsin.app.diff.scenarios import ScenarioMoment, ScenarioOrigin
from tocsin.app.diff.words import ChangedWords
from tocsin.cli.output.diff.digest import LineEffect, ReaderBlock, edit, line_effects
from tocsin.cli.output.diff.scenarios import listed
from tocsin.cli.output.terminal.line import Line, Mark, marked
from tocsin.domain.problem import Problem
from tocsin.planning.on_call.first_change import first_changes
from tocsin.text.cleaning import clean, one_line
from tocsin.text.markdown import inline
from tocsin.wording.language.language import name_of

EFFECTS_MOST = 12
"""The most changed lines that are told in full."""
BLOCKS_MOST = 8
"""The most things told of one changed line."""
IDLE_MOST = 6
_BESIDE = {ScenarioOrigin.OPEN: "open incident", ScenarioOrigin.TEST: "policy test"}
FILES_MOST = 3
"""The most files that are named whose words change together."""
KINDS_MOST = 4
"""The most kinds of messages that are named together."""
MESSAGES = {
    "page": "pages",
    "stand_down": "stand-downs",
    "update": "updates",
    "closing": "closings",
    "reminder": "reminders",
    "verify": "questions whether all is healthy",
    "review": "requests for the review",
    "bundle": "bundles of pages",
    "operator": "notices to operators",
    "answer": "answers to SMS",
    "sign_in": "codes to sign in",
    "test": "tests",
    "drill": "the marks of drills",
}
"""The kinds of messages, as people call them."""
WARNINGS_MOST = 3
"""The most changed lines without effect, and new warnings, that are told."""


def text(difference: Difference, compared_at: Sequence[ScenarioMoment], zone: str) -> Iterator[str]:
    """The answer for a terminal."""
    yield f"{_title(difference.old)} → {_title(difference.new)}: {headline(difference)}"
    effects = line_effects(difference)
    for effect in effects[:EFFECTS_MOST]:
        yield ""
        yield Line(marked(f"{effect.line.file}:{effect.line.line}:", Mark.TITLE), f" {_edited(effect)}")
        for block in effect.blocks[:BLOCKS_MOST]:
            yield from _lines(block)
        if len(effect.blocks) > BLOCKS_MOST:
            yield f"  and {len(effect.blocks) - BLOCKS_MOST} more (--format json tells all)"
    yield from _beyond(effects)
    notes = [*_notes(difference, compared_at, zone), about(difference, compared_at, zone)]
    yield ""
    yield from notes


def markdown(difference: Difference, compared_at: Sequence[ScenarioMoment], zone: str) -> Iterator[str]:
    """The answer for a merge request."""
    yield f"**tocsin diff {_code(difference.old.name)} → {_code(difference.new.name)}: {inline(headline(difference))}**"
    effects = line_effects(difference)
    for effect in effects[:EFFECTS_MOST]:
        yield ""
        yield f"{_code(f'{effect.line.file}:{effect.line.line}')} {_code(_edited(effect))}"
        yield ""
        yield "| who | what | when |"
        yield "|---|---|---|"
        for block in effect.blocks[:BLOCKS_MOST]:
            rows = "<br>".join(inline(row) for row in block.rows)
            yield f"| {inline(block.who)} | {inline(block.what)} | {rows} |"
        if len(effect.blocks) > BLOCKS_MOST:
            yield f"| … | and {len(effect.blocks) - BLOCKS_MOST} more | |"
    yield from _beyond(effects)
    for note in _notes(difference, compared_at, zone):
        yield ""
        yield inline(note)
    yield ""
    yield f"<sub>{inline(about(difference, compared_at, zone))}</sub>"


def headline(difference: Difference) -> str:
    """The answer in one sentence."""
    moved = {effect.scenario.name for effect in difference.effects}
    if not moved:
        where = f"in all {len(difference.scenarios)} situations"
        if difference.idle:
            return f"no page or update moves, {where}"
        return f"no change to who hears what when, {where}; no line of the config changed"
    lines = len({effect.line for effect in difference.effects if effect.line.path})
    counted = "1 changed line moves" if lines == 1 else f"{lines or 'several'} changed lines move"
    return f"{counted} messages in {len(moved)} of {len(difference.scenarios)} situations"


def about(difference: Difference, compared_at: Sequence[ScenarioMoment], zone: str) -> str:
    """What was compared, for whoever wonders what the answer leaves out."""
    moments = [f"{moment.name} {moment.at.astimezone(ZoneInfo(zone)):%a %d %b %H:%M}" for moment in compared_at]
    count = {origin: sum(scenario.origin is origin for scenario in difference.scenarios) for origin in ScenarioOrigin}
    beside = [f"{count[origin]} {word}{'s' * (count[origin] > 1)}" for origin, word in _BESIDE.items() if count[origin]]
    fixed = f"{count[ScenarioOrigin.FIXED]} situations ({listed(moments)} {zone}; nobody answers)"
    return f"Compared in {listed([fixed, *beside])}. +5m: five minutes after the declaration."


def _title(side: ComparedConfig) -> str:
    return f"{side.name} ({side.revision})" if side.name != WORK_TREE else side.name


def _code(text: str) -> str:
    """A text as it stands, between backticks."""
    plain = one_line(clean(text)).replace("`", "'")
    return f"`{plain}`"


def _edited(effect: LineEffect) -> str:
    return edit(effect.line) if effect.line.path else "several changes together"


def _lines(block: ReaderBlock) -> Iterator[str]:
    """One line, or one and a line for each row."""
    if len(block.rows) > 1:
        yield f"  {block.who}: {block.what}"
        yield from (f"    {row}" for row in block.rows)
    else:
        yield " — ".join([f"  {block.who}: {block.what}", *block.rows])


def _beyond(effects: Sequence[LineEffect]) -> Iterator[str]:
    if len(effects) > EFFECTS_MOST:
        yield ""
        yield f"{len(effects) - EFFECTS_MOST} more changed lines move messages (--format json tells all)."


def _notes(difference: Difference, compared_at: Sequence[ScenarioMoment], zone: str) -> Iterator[str]:
    """What else whoever merges this should know."""
    yield from (_words(changed, difference.new) for changed in difference.words)
    removed = [name for name in difference.old.policy.severities if name not in difference.new.policy.severities]
    if removed:
        counts_as = difference.new.policy.unreadable_severity
        yield f"Severity {listed(removed)} is no more: an incident that still says so counts as {counts_as}."
    for words, lines in (
        ("Changed as well", difference.besides),
        ("Changed without moving a page or an update here", difference.idle),
    ):
        if lines:
            named = [f"{edit(line)} ({line.file}:{line.line})" for line in lines[:IDLE_MOST]]
            more = f"; and {len(lines) - IDLE_MOST} more" if len(lines) > IDLE_MOST else ""
            yield f"{words}: {'; '.join(named)}{more}"
    rotations = {str(line.path[1]) for line in difference.idle if line.path[0] == "rotations"}
    for turn in first_changes(difference.old.policy, difference.new.policy, compared_at[0].at, rotations):
        at = f"{turn.at.astimezone(ZoneInfo(zone)):%a %d %b %Y %H:%M} {zone}"
        yield (
            f"On call in {turn.rotation} from {at}: {turn.after or 'nobody'}, was {turn.before or 'nobody'} "
            "(--at compares other moments)"
        )
    warnings = new_warnings(difference.old, difference.new)
    if warnings:
        more = f" (and {len(warnings) - WARNINGS_MOST} more)" if len(warnings) > WARNINGS_MOST else ""
        yield f"New warnings: {'; '.join(map(str, warnings[:WARNINGS_MOST]))}{more}"


def _words(changed: ChangedWords, new: ComparedConfig) -> str:
    """Whose words change, and where that is to be read."""
    folder = Path(label_of(new.settings.templates))
    named = ", ".join(str(folder / file) for file in changed.files[:FILES_MOST])
    more = f" and {len(changed.files) - FILES_MOST} more" if len(changed.files) > FILES_MOST else ""
    whose = [MESSAGES.get(kind, kind) for kind in changed.kinds]
    of = f"of {listed(whose) if len(whose) <= KINDS_MOST else f'{len(whose)} kinds of messages'} " if whose else ""
    language = f"in {name_of(changed.language)} " if changed.language else ""
    return f"The words {of}{language}change: see {named}{more}"


def new_warnings(old: ComparedConfig, new: ComparedConfig) -> tuple[Problem, ...]:
    """Warnings of the new config that the old one had not."""
    known = {(warning.code, warning.message) for warning in old.warnings}
    return tuple(warning for warning in new.warnings if (warning.code, warning.message) not in known)
