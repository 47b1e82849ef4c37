"""The table that people read, and the JSON beside it."""

import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.figures import Figure, Found, Spread
from bench.peers import alertmanager
from bench.targets import MEASURES, Measure

LIBRARIES = ("tocsin", "aiosmtplib", "jinja2", "twilio", "aiohttp", "sqlalchemy", "psycopg")
COLUMNS = ("measure", "ours", "theirs", "ratio", "target", "judged", "peer")
HEAD = ("measure", "ours", "peer", "ratio (spread)", "target", "", "the peer")
WIDTHS = (58, 27, 27, 21, 10, 5, 0)


def heading() -> str:
    """The first line of the table."""
    return _row(HEAD)


def rows(figures: Sequence[Figure]) -> list[str]:
    """A line for each figure, and its note below."""
    lines = []
    for figure in figures:
        lines.append(_row(_cells(figure)))
        if figure.note:
            lines.append(f"     {figure.note}")
    return lines


def _row(cells: Sequence[str]) -> str:
    return " ".join(f"{cell:<{width}}" for cell, width in zip(cells, WIDTHS, strict=True)).rstrip()


def _cells(figure: Figure) -> Sequence[str]:
    measure = MEASURES[figure.measure]
    ours, theirs = _said(figure.ours, measure.unit), _said(figure.theirs, measure.unit)
    peer = f"not measured: {figure.missing} is not installed here" if figure.missing else figure.peer
    return measure.words, ours, theirs, _said(figure.ratios, "x"), _target(measure), judged(figure), peer


def judged(figure: Figure) -> str:
    """`ok` or `SHORT`, by the median; empty where nothing is asked; `?` where it could not be measured."""
    measure = MEASURES[figure.measure]
    if not measure.asked.value:
        return ""
    values = figure.ratios if measure.asked.is_ratio else figure.ours
    if not values or figure.missing:
        return "?"
    return "ok" if measure.holds(Spread.of(values).median) else "SHORT"


def _target(measure: Measure) -> str:
    sign = measure.asked.value.removeprefix("ratio ")
    unit = " x" if measure.asked.is_ratio else f" {measure.unit}"
    return f"{sign} {measure.bound:g}{unit}" if sign else ""


def _said(values: Sequence[float], unit: str) -> str:
    if not values:
        return ""
    spread = Spread.of(values)
    range_ = f" ({number(spread.least)}..{number(spread.most)})" if len(values) > 1 else ""
    return f"{number(spread.median)} {unit}{range_}".strip()


def number(value: float) -> str:
    """Three digits that count."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def document(found: Found, seconds: float) -> dict[str, Any]:
    """All of it for programs. Names no path and no host."""
    return {
        "seconds": round(seconds),
        "machine": machine(),
        "versions": versions(),
        "figures": [_figure(figure) for figure in found.figures],
        "lines": [vars(line) for line in found.lines],
    }


def _figure(figure: Figure) -> dict[str, Any]:
    """A figure and its row, as the table has it."""
    measure = MEASURES[figure.measure]
    return {
        **vars(figure),
        "unit": measure.unit,
        "ratio": vars(Spread.of(figure.ratios)) if figure.ratios else None,
        "row": dict(zip(COLUMNS, _cells(figure), strict=True)),
    }


def machine() -> dict[str, Any]:
    """How large the machine is, which absolute figures belong to."""
    memory = re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return {
        "cores": len(os.sched_getaffinity(0)),
        "model": model[1] if model else platform.machine(),
        "memory_gb": round(int(memory[1]) / 1024**2) if memory else None,
        "kernel": ".".join(platform.release().split(".")[:2]),
    }


def versions() -> dict[str, str]:
    """What was measured, and beside what."""
    found = {"python": platform.python_version()} | {name: version(name) for name in LIBRARIES}
    if alertmanager.is_installed():
        said = subprocess.run([alertmanager.PROGRAM, "--version"], capture_output=True, text=True, check=False)
        if shown := re.search(r"version (\S+)", said.stdout + said.stderr):
            found[alertmanager.PROGRAM] = shown[1].rstrip(",")
    return found


def write(path: Path, found: Found, seconds: float) -> dict[str, Any]:
    """Write the JSON, say where, and give it."""
    written = document(found, seconds)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(written, indent=1) + "\n")
    print(f"JSON: {path}", file=sys.stderr)
    return written
