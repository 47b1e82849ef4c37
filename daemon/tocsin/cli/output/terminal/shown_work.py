"""How far a long command is, on the terminal behind stderr: it appears when that takes long, and is gone at the end."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, Timer
from typing import Self

from rich.progress import MofNCompleteColumn, Progress, ProgressColumn, SpinnerColumn, TextColumn, TimeElapsedColumn

from tocsin.cli.output.terminal.console import console
from tocsin.cli.output.terminal.work import Work

APPEARS_AFTER = 0.5
"""Seconds until progress is shown."""


class ShownWork(Work):
    """Work that is shown from `APPEARS_AFTER` on."""

    def __init__(self, what: str, total: int | None) -> None:
        columns: list[ProgressColumn] = [SpinnerColumn("line"), TextColumn("{task.description}"), TimeElapsedColumn()]
        if total is not None:
            columns.insert(2, MofNCompleteColumn(separator=" of "))
        there = console(err=True)
        self._drawn = Progress(
            *columns, console=there, transient=True, redirect_stdout=False, disable=not there.is_interactive
        )
        self._task = self._drawn.add_task(what, total=total)
        self._turn, self._shown = Lock(), False
        self._timer = Timer(APPEARS_AFTER, self._appear)
        self._timer.daemon = True

    def tell(self, done: int) -> None:
        """How many are done."""
        self._drawn.update(self._task, completed=done)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Not to be shown meanwhile: something else is printed."""
        with self._turn:
            if self._shown:
                self._drawn.stop()
            yield
            if self._shown:
                self._drawn.start()

    def _appear(self) -> None:
        with self._turn:
            self._shown = True
            self._drawn.start()

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._timer.join()
        self._drawn.stop()
