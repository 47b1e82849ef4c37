"""`make bench`, or `python -m bench`: the installed command side by side with what people would use instead.

Each part runs alone too: `python -m bench incidents latency`. Figures belong to this machine; quote ratios.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bench import page, report
from bench.figures import Found
from bench.parts import PARTS
from bench.rounds import Scale, progress
from bench.world import ROOT

QUICK = "quick"


def main(given: Sequence[str]) -> int:
    """Measure what was asked for. 1 if something falls short of its target."""
    asked = _parser().parse_args(given)
    quick = QUICK in asked.parts
    names = [name for name in asked.parts if name != QUICK] or [
        name for name, entry in PARTS.items() if not entry.within
    ]
    scale = Scale(asked.rounds or (1 if quick else 5), quick)
    if not quick:
        minutes = sum(PARTS[name].takes(scale.rounds) for name in names) / 60
        progress(f"{', '.join(names)}: about {max(1, round(minutes))} minutes on two cores that do nothing else")
    began = time.monotonic()
    found = Found()
    print(report.heading(), flush=True)
    for name in names:
        progress(f"{name}: {PARTS[name].words}")
        begun = time.monotonic()
        part = PARTS[name].part(scale)
        found = Found([*found.figures, *part.figures], [*found.lines, *part.lines])
        print("\n".join(report.rows(part.figures)), flush=True)
        progress(f"{name}: {time.monotonic() - begun:.0f} s")
    written = report.write(asked.json, found, time.monotonic() - began)
    if asked.docs:
        page.write(written)
    if quick:
        progress("quick sizes: all of it runs, and the figures mean nothing")
        return 0
    return int(any(report.judged(figure) == "SHORT" for figure in found.figures))


def _parser() -> argparse.ArgumentParser:
    lines = [f"  {name:<12} {entry}" for name, entry in PARTS.items()]
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=__doc__,
        epilog="\n".join(["parts:", *lines, f"  {QUICK:<12} small sizes, one round: only shows that all of it runs"]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "parts", nargs="*", choices=[*PARTS, QUICK, []], metavar="PART", help="what to measure; default: all"
    )
    parser.add_argument("--rounds", type=int, metavar="N", help="rounds of each measure, in turn (default: 5)")
    where = "where the figures go as JSON (default: var/bench.json)"
    parser.add_argument("--json", type=Path, default=ROOT / "var" / "bench.json", metavar="PATH", help=where)
    docs = "put the table and the plots of this run into docs/speed.md"
    parser.add_argument("--docs", action="store_true", help=docs)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
