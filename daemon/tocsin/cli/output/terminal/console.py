"""How output looks on a terminal: laid out by its width, what matters in colour, and how far a long command is.

A long line goes on below, indented, and is never broken inside a word: ids, addresses and file:line stay whole. Colours
are those of the terminal's own sixteen that can be read on light and on dark alike: green and yellow never as letters.
NO_COLOR, FORCE_COLOR, TERM=dumb and COLUMNS hold as rich has them.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from threading import Timer
from typing import Self

from rich.cells import cell_len
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, ProgressColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text
from rich.theme import Theme

from tocsin.cli.output.terminal.line import Line, Mark

STYLES = {
    Mark.WORST: "bold bright_white on red",
    Mark.SECOND: "bold black on yellow",
    Mark.THIRD: "bold black on cyan",
    Mark.MILD: "bold",
    Mark.ALARM: "bold red",
    Mark.WARNING: "bold magenta",
    Mark.TITLE: "bold",
}
APPEARS_AFTER = 0.5
"""Seconds until progress is shown."""
_PLAIN = dict.fromkeys(("progress.spinner", "progress.download", "progress.elapsed"), "none")
"""Styles of rich that are green and yellow."""
_WORD = re.compile(r" *(?:[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]|[^ \u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]+)")
"""A word and the blanks before it. Chinese and Japanese are broken between any two letters."""


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


def width() -> int:
    """Columns of the terminal."""
    return console().width


def show(lines: Iterable[str], *, err: bool, laid_out: bool) -> None:
    """Print lines to stdout or stderr. Unless they are to be laid out they stay as they are: colours that are forced
    into a pipe change no layout.
    """
    out = console(err=err)
    most = out.width if laid_out else sys.maxsize
    for line in lines:
        for row in rows(line, most):
            out.print(row)


def rows(line: str, most: int) -> Iterator[Text]:
    """A line as rows of at most `most` cells; a word that alone is longer keeps a row to itself."""
    for part in line.splitlines() or [""]:
        yield from _rows(line if part == line else Line(part), most)


def _rows(line: str, most: int) -> Iterator[Text]:
    if cell_len(line) <= most:
        yield _text(line, 0, len(line), "")
        return
    hang = line.hang if isinstance(line, Line) and line.hang is not None else len(line) - len(line.lstrip(" ")) + 2
    indent, start, end = "", 0, 0
    for word in _WORD.finditer(line):
        if end and cell_len(indent) + cell_len(line[start : word.end()]) > most:
            yield _text(line, start, end, indent)
            indent, start = " " * min(hang, most // 2), word.end() - len(word.group().lstrip(" "))
        end = word.end()
    yield _text(line, start, end, indent)


def _text(line: str, start: int, end: int, indent: str) -> Text:
    """A part of a line with its marks, below an indentation."""
    text = Text(indent + line[start:end])
    for begin, stop, mark in line.marks if isinstance(line, Line) else ():
        text.stylize(mark.value, max(begin - start, 0) + len(indent), max(stop - start, 0) + len(indent))
    return text


class LongWork:
    """How far a long command is, on the terminal behind stderr: from `APPEARS_AFTER` on, gone at the end."""

    def __init__(self, what: str, total: int | None) -> None:
        columns: list[ProgressColumn] = [SpinnerColumn("line"), TextColumn("{task.description}"), TimeElapsedColumn()]
        if total is not None:
            columns.insert(2, MofNCompleteColumn(separator=" of "))
        there = console(err=True)
        self._drawn = Progress(
            *columns, console=there, transient=True, redirect_stdout=False, disable=not there.is_interactive
        )
        self._task = self._drawn.add_task(what, total=total)
        self._timer = Timer(APPEARS_AFTER, self._drawn.start)
        self._timer.daemon = True

    def tell(self, done: int) -> None:
        """How many are done."""
        self._drawn.update(self._task, completed=done)

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._timer.join()
        self._drawn.stop()
