"""Printing for people: on a terminal as `console` lays it out, elsewhere whole and plain, a line each, for scripts.

rich is imported only where there is a terminal: `tocsin ack` at 3 a.m. does not wait for it.
"""

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import click

from tocsin.cli.output.terminal.line import Line
from tocsin.cli.output.terminal.work import Work


def has_terminal(*, err: bool = False) -> bool:
    """Whether stdout (or stderr) is a terminal."""
    return (sys.stderr if err else sys.stdout).isatty()


def show(lines: Iterable[str], *, err: bool = False) -> None:
    """Print lines as soon as they are there, to stdout or stderr."""
    if has_terminal(err=err) or os.environ.get("FORCE_COLOR"):
        from tocsin.cli.output.terminal.console import show as show_there

        show_there(lines, err=err, laid_out=has_terminal(err=err))
        return
    for line in lines:
        click.echo(line, err=err)


def beside(columns: Sequence[Sequence[str]], elsewhere: Sequence[int]) -> Iterator[Line]:
    """Rows of columns, the last of which goes on below itself. On a terminal each is as wide as what stands in it;
    elsewhere it has the width that scripts know, at least.
    """
    widths = list(elsewhere)
    if has_terminal():
        widths = [max(len(cell.rstrip()) for cell in column) + 1 for column in zip(*columns, strict=True)][:-1]
    for *cells, last in columns:
        padded = [Line(cell, " " * max(width - len(cell) + 1, 1)) for cell, width in zip(cells, widths, strict=True)]
        yield Line(*padded, last, hang=sum(map(len, padded)))


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Work]:
    """Show on stderr, where that is a terminal, that something takes long, and how many of the `total` are done. It
    appears after half a second and is gone at the end.
    """
    if not has_terminal(err=True):
        yield Work()
        return
    from tocsin.cli.output.terminal.shown_work import ShownWork

    with ShownWork(what, total) as shown:
        yield shown


def columns(elsewhere: int, most: int) -> int:
    """How wide lines are that are laid out before: as the terminal, `most` at most; elsewhere always the same."""
    if not has_terminal():
        return elsewhere
    from tocsin.cli.output.terminal.console import console

    return min(console().width, most)


def width_of_progress() -> int:
    """The width of the terminal behind stderr on which something may be written over; 0 where there is none."""
    return _width_to_paint(err=True)


def can_paint() -> bool:
    """Whether stdout is a terminal on which something may be written over."""
    return _width_to_paint(err=False) > 0


def _width_to_paint(*, err: bool) -> int:
    if not has_terminal(err=err):
        return 0
    from tocsin.cli.output.terminal.console import console

    there = console(err=err)
    return there.width if there.is_interactive else 0
