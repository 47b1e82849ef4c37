"""What `tocsin diff` prints for people: lines of text, or a Markdown comment for a merge request.

Decides the words around the digest. Must not know how changes are found or put together.
"""

from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

from tocsin.app.configuration.revisions import WORK_TREE, ComparedConfig
from tocsin.app.diff.difference import Difference
from tocsin.app.diff.scenarios import ScenarioMoment, ScenarioOrigin
from tocsin.cli.output.diff_digest import Block, Cause, causes, edit
from tocsin.cli.output.diff_scenarios import listed
from tocsin.domain.problem import Problem
from tocsin.planning.on_call.first_change import first_changes
from tocsin.text.cleaning import clean, one_line
from tocsin.text.markdown import inline

CAUSES_MOST = 12
"""The most changed lines that are told in full."""
BLOCKS_MOST = 8
"""The most things told of one changed line."""
IDLE_MOST = 6
_BESIDE = {ScenarioOrigin.OPEN: "open incident", ScenarioOrigin.TEST: "policy test"}
WARNINGS_MOST = 3
"""The most changed lines without effect, and new warnings, that are told."""


def text(found: Difference, when: Sequence[ScenarioMoment], zone: str) -> Iterator[str]:
    """The answer for a terminal."""
    yield f"{_title(found.old)} → {_title(found.new)}: {headline(found)}"
    told = causes(found)
    for cause in told[:CAUSES_MOST]:
        yield ""
        yield f"{cause.line.file}:{cause.line.line}: {_edited(cause)}"
        for block in cause.blocks[:BLOCKS_MOST]:
            yield from _lines(block)
        if len(cause.blocks) > BLOCKS_MOST:
            yield f"  and {len(cause.blocks) - BLOCKS_MOST} more (--format json tells all)"
    yield from _beyond(told)
    notes = [*_notes(found, when, zone), about(found, when, zone)]
    yield ""
    yield from notes


def markdown(found: Difference, when: Sequence[ScenarioMoment], zone: str) -> Iterator[str]:
    """The answer for a merge request."""
    yield f"**tocsin diff {_code(found.old.name)} → {_code(found.new.name)}: {inline(headline(found))}**"
    told = causes(found)
    for cause in told[:CAUSES_MOST]:
        yield ""
        yield f"{_code(f'{cause.line.file}:{cause.line.line}')} {_code(_edited(cause))}"
        yield ""
        yield "| who | what | when |"
        yield "|---|---|---|"
        for block in cause.blocks[:BLOCKS_MOST]:
            rows = "<br>".join(inline(row) for row in block.rows)
            yield f"| {inline(block.who)} | {inline(block.what)} | {rows} |"
        if len(cause.blocks) > BLOCKS_MOST:
            yield f"| … | and {len(cause.blocks) - BLOCKS_MOST} more | |"
    yield from _beyond(told)
    for note in _notes(found, when, zone):
        yield ""
        yield inline(note)
    yield ""
    yield f"<sub>{inline(about(found, when, zone))}</sub>"


def headline(found: Difference) -> str:
    """The answer in one sentence."""
    moved = {effect.situation.name for effect in found.effects}
    if not moved:
        where = f"in all {len(found.situations)} situations"
        if found.idle:
            return f"no page or update moves, {where}"
        return f"no change to who hears what when, {where}; no line of the config changed"
    lines = len({effect.line for effect in found.effects if effect.line.path})
    counted = "1 changed line moves" if lines == 1 else f"{lines or 'several'} changed lines move"
    return f"{counted} messages in {len(moved)} of {len(found.situations)} situations"


def about(found: Difference, when: Sequence[ScenarioMoment], zone: str) -> str:
    """What was compared, for whoever wonders what the answer leaves out."""
    moments = [f"{each.name} {each.at.astimezone(ZoneInfo(zone)):%a %d %b %Y %H:%M}" for each in when]
    count = {origin: sum(each.origin is origin for each in found.situations) for origin in ScenarioOrigin}
    beside = [f"{count[origin]} {word}{'s' * (count[origin] > 1)}" for origin, word in _BESIDE.items() if count[origin]]
    return (
        f"Compared: pages and updates in {count[ScenarioOrigin.FIXED]} situations (each severity, with each service "
        f"and without, first seen {listed(moments)} {zone}, nobody answers)"
        f"{' and in ' if beside else ''}{listed(beside)}. "
        "+5m is five minutes after the declaration."
    )


def _title(side: ComparedConfig) -> str:
    return f"{side.name} ({side.revision})" if side.name != WORK_TREE else side.name


def _code(text: str) -> str:
    """A text as it stands, between backticks."""
    plain = one_line(clean(text)).replace("`", "'")
    return f"`{plain}`"


def _edited(cause: Cause) -> str:
    return edit(cause.line) if cause.line.path else "several changes together"


def _lines(block: Block) -> Iterator[str]:
    """One line, or one and a line for each row."""
    if len(block.rows) > 1:
        yield f"  {block.who}: {block.what}"
        yield from (f"    {row}" for row in block.rows)
    else:
        yield " — ".join([f"  {block.who}: {block.what}", *block.rows])


def _beyond(told: Sequence[Cause]) -> Iterator[str]:
    if len(told) > CAUSES_MOST:
        yield ""
        yield f"{len(told) - CAUSES_MOST} more changed lines move messages (--format json tells all)."


def _notes(found: Difference, when: Sequence[ScenarioMoment], zone: str) -> Iterator[str]:
    """What else whoever merges this should know."""
    gone = [name for name in found.old.policy.severities if name not in found.new.policy.severities]
    if gone:
        counts_as = found.new.policy.unreadable_severity
        yield f"Severity {listed(gone)} is no more: an incident that still says so counts as {counts_as}."
    for words, lines in (
        ("Changed as well", found.besides),
        ("Changed without moving a page or an update here", found.idle),
    ):
        if lines:
            named = [f"{edit(line)} ({line.file}:{line.line})" for line in lines[:IDLE_MOST]]
            more = f"; and {len(lines) - IDLE_MOST} more" if len(lines) > IDLE_MOST else ""
            yield f"{words}: {'; '.join(named)}{more}"
    rotations = {line.path[1] for line in found.idle if line.path[0] == "rotations"}
    for turn in first_changes(found.old.policy, found.new.policy, when[0].at):
        if turn.rotation in rotations:
            at = f"{turn.at.astimezone(ZoneInfo(zone)):%a %d %b %Y %H:%M} {zone}"
            yield (
                f"On call in {turn.rotation} from {at}: {turn.after or 'nobody'}, was {turn.before or 'nobody'} "
                "(--at compares other moments)"
            )
    fresh = new_warnings(found.old, found.new)
    if fresh:
        more = f" (and {len(fresh) - WARNINGS_MOST} more)" if len(fresh) > WARNINGS_MOST else ""
        yield f"New warnings: {'; '.join(map(str, fresh[:WARNINGS_MOST]))}{more}"


def new_warnings(old: ComparedConfig, new: ComparedConfig) -> tuple[Problem, ...]:
    """Warnings of the new config that the old one had not."""
    known = {(each.code, each.message) for each in old.warnings}
    return tuple(each for each in new.warnings if (each.code, each.message) not in known)
