"""docs/speed.md: the table and the plots of a run are put there between two marks; the rest is written by hand.

`python -m bench.page JSON [JSON]...` does it with the figures of earlier runs, so that one part can be measured again:
what a later one has takes the place of the same in an earlier one.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench import plots
from bench.figures import Line
from bench.world import ROOT

PAGE = ROOT / "docs" / "speed.md"
BEGIN, END = "<!-- by make bench -->\n", "<!-- end -->\n"
HEADS = {
    "measure": "measure", "ours": "ours", "theirs": "peer", "ratio": "ratio (spread)", "target": "target",
    "judged": "", "peer": "the peer",
}  # fmt: skip


def write(document: Mapping[str, Any], page: Path = PAGE) -> None:
    """Put a run into the page, and its plots beside it."""
    lines = [Line(**each) for each in document["lines"]]
    drawn = plots.draw(lines, page.with_suffix(""))
    head, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, _, tail = rest.partition(END)
    said = "\n".join(
        [_machine(document), "", *_table(document["figures"]), *_notes(document["figures"]), *_plots(drawn)]
    )
    page.write_text(f"{head}{BEGIN}{said}\n{END}{tail}", encoding="utf-8")


def together(documents: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Several runs of one machine as one: each measure and each line of a plot as the last one has it."""
    figures = {figure["measure"]: figure for document in documents for figure in document["figures"]}
    lines = {(line["plot"], line["name"]): line for document in documents for line in document["lines"]}
    seconds = sum(document["seconds"] for document in documents)
    found = {"figures": list(figures.values()), "lines": list(lines.values())}
    return {**documents[-1], **found, "seconds": seconds}


def _machine(document: Mapping[str, Any]) -> str:
    """A sentence of what it was measured on, and with."""
    machine, versions = document["machine"], document["versions"]
    with_ = ", ".join(f"{name} {version}" for name, version in versions.items())
    return (
        f"Measured in {document['seconds'] / 60:.0f} minutes on {machine['cores']} cores ({machine['model']}), "
        f"{machine['memory_gb']} GB, Linux {machine['kernel']}, with {with_}."
    )


def _table(figures: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield "| " + " | ".join(HEADS.values()) + " |"
    yield "|---" * len(HEADS) + "|"
    for figure in figures:
        yield "| " + " | ".join(figure["row"][column] for column in HEADS) + " |"


def _notes(figures: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield ""
    for figure in figures:
        if figure["note"]:
            yield f"- {figure['row']['measure']}: {figure['note']}"


def _plots(drawn: Sequence[Path]) -> Iterator[str]:
    for path in drawn:
        yield ""
        yield f"![{plots.PLOTS[path.stem].title}](speed/{path.name})"


if __name__ == "__main__":
    write(together([json.loads(Path(name).read_text(encoding="utf-8")) for name in sys.argv[1:]]))
