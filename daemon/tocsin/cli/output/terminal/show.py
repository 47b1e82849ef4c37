"""Printing for people: on a terminal as `console` lays it out, elsewhere whole and plain, a line each, for scripts.

rich is imported only where there is a terminal: `tocsin ack` at 3 a.m. does not wait for it.
"""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import click


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


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """Show on stderr, where that is a terminal, that something takes long and how many of the `total` are done (what is
    given is told so). It appears after half a second and is gone at the end.
    """
    if not has_terminal(err=True):
        yield lambda _done: None
        return
    from tocsin.cli.output.terminal.console import LongWork

    with LongWork(what, total) as shown:
        yield shown.tell


def columns(elsewhere: int, most: int) -> int:
    """How wide lines are that are laid out before: as the terminal, `most` at most; elsewhere always the same."""
    if not has_terminal():
        return elsewhere
    from tocsin.cli.output.terminal.console import console

    return min(console().width, most)
