"""How output looks on a terminal: laid out by its width, with what matters in colour.

A long line goes on below, indented, and is never broken inside a word: ids, addresses and file:line stay whole. Colours
are those of the terminal's own sixteen that can be read on light and on dark alike: green and yellow never as letters.
NO_COLOR, FORCE_COLOR, TERM=dumb and COLUMNS hold as rich has them.
"""

import sys
from collections.abc import Iterable
from functools import cache
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.text import Text
from rich.theme import Theme

from tocsin.cli.output.terminal.line import Line, Mark, rows

STYLES = {
    Mark.WORST: "bold bright_white on red",
    Mark.SECOND: "bold black on yellow",
    Mark.THIRD: "bold black on cyan",
    Mark.MILD: "bold",
    Mark.ALARM: "bold red",
    Mark.WARNING: "bold magenta",
    Mark.TITLE: "bold",
}
_PLAIN = dict.fromkeys(("progress.spinner", "progress.download", "progress.elapsed"), "none")
"""Styles of rich that are green and yellow."""


class TerminalConsole(Console):
    """A console of rich for lines that are laid out already; a closed pipe is told like any other."""

    def on_broken_pipe(self) -> None:
        """Leave it to whoever prints."""
        raise BrokenPipeError


@cache
def console(*, err: bool = False) -> Console:
    """The console of stdout, or of stderr."""
    theme = Theme({mark.value: style for mark, style in STYLES.items()} | _PLAIN)
    return TerminalConsole(stderr=err, theme=theme, highlight=False, markup=False, emoji=False, soft_wrap=True)


def show(lines: Iterable[str], *, err: bool, laid_out: bool) -> None:
    """Print lines to stdout or stderr. Unless they are to be laid out they stay as they are: colours that are forced
    into a pipe change no layout.
    """
    out = console(err=err)
    most = out.width if laid_out else sys.maxsize
    for line in lines:
        for row in rows(line, most):
            out.print(text_of(row))


def text_of(line: str) -> Text:
    """A line as rich has it."""
    text = Text(line)
    for start, end, mark in line.marks if isinstance(line, Line) else ():
        text.stylize(mark.value, start, end)
    return text


class Screen:
    """A page on the whole terminal that is painted anew; at the end the terminal is as it was."""

    def __init__(self) -> None:
        self._live = Live(
            console=console(), screen=True, auto_refresh=False, redirect_stdout=False, redirect_stderr=False
        )

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows, as they are now."""
        width, height = console().size
        return width, height

    def paint(self, lines: Iterable[str]) -> None:
        """Show these lines; of more than there is room for the first, and how many are below."""
        columns, most = self.size
        page = [row for line in lines for row in rows(line, columns)]
        if len(page) > most:
            page = [*page[: most - 1], Line(f"… {len(page) - most + 1} more rows: tocsin status shows them")]
        self._live.update(Text("\n", no_wrap=True).join(map(text_of, page)), refresh=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()
