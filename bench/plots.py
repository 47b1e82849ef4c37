"""Plots of how the cost grows, for docs/speed.md: small SVG files that are the same for the same figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from bench.figures import Line


@dataclass(frozen=True)
class Plot:
    """What one plot shows."""

    title: str
    across: str
    up: str
    log_up: bool = False


PLOTS = {
    "open-rate": Plot("Pages a second", "open incidents", "pages/s"),
    "open-latency": Plot("File renamed to mail accepted, median", "open incidents", "ms"),
    "open-memory": Plot("Resident memory", "open incidents", "MB"),
    "open-start": Plot("Start with known files", "open incidents", "s", log_up=True),
    "readers-rate": Plot("One update: mails a second", "readers", "mails/s"),
    "readers-seconds": Plot("One update: until the last reader has it", "readers", "s", log_up=True),
    "connections-rate": Plot("One update to 1,000 readers", "connections to the mail server", "mails/s"),
}
COLOURS = {"SQLite": "#1565c0", "PostgreSQL": "#c05621"}
OTHERS = ("#1565c0", "#2e7d32")
STYLE = {
    "svg.hashsalt": "tocsin", "svg.fonttype": "path", "font.family": "DejaVu Sans", "font.size": 10,
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.color": "#e3e6ea",
    "axes.edgecolor": "#5b6472", "figure.facecolor": "white",
}  # fmt: skip


def draw(lines: Sequence[Line], into: Path) -> list[Path]:
    """Write each plot that has lines, and give the files."""
    into.mkdir(parents=True, exist_ok=True)
    written = []
    for key, plot in PLOTS.items():
        own = [line for line in lines if line.plot == key and line.points]
        if own:
            written.append(into / f"{key}.svg")
            _draw(plot, own, written[-1])
    return written


def _draw(plot: Plot, lines: Sequence[Line], path: Path) -> None:
    with mpl.rc_context(STYLE):
        canvas = Canvas(figsize=(6.4, 3.6), layout="constrained")
        axes = canvas.add_subplot()
        for line, colour in zip(lines, OTHERS * len(lines), strict=False):
            _line(axes, line, COLOURS.get(line.name, colour))
        axes.set_title(plot.title, loc="left", fontsize=11, fontweight="bold")
        axes.set_xlabel(plot.across)
        axes.set_ylabel(plot.up)
        axes.set_xscale("log")
        sizes = sorted({size for line in lines for size, _ in line.points})
        axes.set_xticks(sizes, [f"{size:,.0f}" for size in sizes], minor=False)
        axes.minorticks_off()
        if plot.log_up:
            axes.set_yscale("log")
            axes.yaxis.set_major_formatter("{x:g}")
        else:
            axes.set_ylim(bottom=0)
        axes.legend(frameon=False, fontsize=9)
        canvas.savefig(path, format="svg", metadata={"Date": None, "Creator": None})


def _line(axes: Axes, line: Line, colour: str) -> None:
    across, up = zip(*line.points, strict=True)
    if line.name.startswith("limit"):
        axes.plot(across, up, color="#8a929e", linestyle="--", label=line.name)
    else:
        axes.plot(across, up, color=colour, marker="o", markersize=4, label=line.name)
