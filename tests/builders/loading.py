"""A config as it is read from a folder, without a process of its own."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from tocsin.app.configuration import judge
from tocsin.app.configuration.load import Configuration

from tests.fakes.bounded_work import SameProcess


def load(folder: Path, at: datetime, environ: Mapping[str, str]) -> Configuration:
    """Read a config folder."""
    return judge.load(SameProcess(), folder, at, environ)
