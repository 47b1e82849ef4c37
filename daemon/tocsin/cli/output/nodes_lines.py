"""The machines that share a ledger, as lines for people and as JSON (P7).

Decides the words. Must not know where the rows come from.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from tocsin.app.doctor.machines import (
    LEADING,
    SILENT_STATE,
    STANDING_BY,
    SeenMachines,
    SeenNode,
    clock_trouble,
    differences,
)
from tocsin.cli.output.terminal.line import Line, Mark, marked
from tocsin.text.cleaning import shown
from tocsin.text.times import iso_utc, roughly

WORDS = {LEADING: "leads", STANDING_BY: "stands by", SILENT_STATE: "silent"}
INDENT = 4
TRIED_WITHIN = timedelta(seconds=15)
"""How long after it began a machine that stands by has tried to reach a provider; before, it is not known."""


def lines(machines: SeenMachines, now: datetime, clock_ahead: timedelta = timedelta(0)) -> Iterator[str]:
    """Who leads; then each machine; then what does not go together, and this machine's clock with the database's."""
    if machines.leader is None:
        yield Line(marked("!", Mark.ALARM), " no machine leads: nobody is paged until one does", hang=2)
    else:
        waiting = [shown(one.node.name) for one in machines.nodes if one.state == STANDING_BY]
        stand = f"{', '.join(waiting)} {'stands' if len(waiting) == 1 else 'stand'} by" if waiting else "none stands by"
        yield Line(f"{shown(machines.leader)} leads; {stand} (term {machines.epoch})", hang=2)
    for one in machines.nodes:
        yield ""
        yield from _node_lines(one, now)
    for difference in filter(None, (*differences(machines.nodes), clock_trouble(clock_ahead))):
        yield ""
        yield Line(marked("!", Mark.WARNING), f" {difference}", hang=2)


def _node_lines(seen: SeenNode, now: datetime) -> Iterator[str]:
    node, since = seen.node, f"{seen.since:%a %d %b %Y %H:%M} UTC"
    state = "stopped" if seen.state == SILENT_STATE and node.stopped else WORDS[seen.state]
    shown_state = marked(state, Mark.WARNING) if state == WORDS[SILENT_STATE] else state
    yield Line(marked(shown(node.name), Mark.TITLE), ": ", shown_state, f" since {since}", hang=INDENT)
    word = "it has said nothing yet" if node.last_word is None else f"last word {_ago(now - node.last_word)}"
    reaches = "reaches a provider" if node.providers_ok else "reaches no provider"
    key = f"signing key {node.key}" if node.key else "no signing key"
    untried = seen.state == STANDING_BY and not node.providers_ok and now - seen.since < TRIED_WITHIN
    said = [word, *([] if untried or seen.state == SILENT_STATE else [reaches]), f"folder {shown(node.folder)}"]
    made = [
        f"version {shown(node.version)}",
        f"schema {shown(node.schema)}",
        f"config {shown(node.config) or 'none'}",
        key,
    ]
    for parts in (said, made):
        yield Line(" " * INDENT, "; ".join(parts), hang=INDENT)


def _ago(age: timedelta) -> str:
    seconds = max(0, int(age.total_seconds()))
    return f"{seconds} s ago" if seconds < 120 else f"{roughly(age)} ago"


def document(machines: SeenMachines) -> dict[str, Any]:
    """The same as JSON."""
    return {
        "leader": machines.leader,
        "epoch": machines.epoch,
        "nodes": [
            {
                "name": seen.node.name,
                "id": seen.node.id,
                "state": seen.state,
                "since": iso_utc(seen.since),
                "last_word": iso_utc(seen.node.last_word) if seen.node.last_word else None,
                "version": seen.node.version,
                "config": seen.node.config,
                "schema": seen.node.schema,
                "key": seen.node.key,
                "providers_ok": seen.node.providers_ok,
            }
            for seen in machines.nodes
        ],
    }
