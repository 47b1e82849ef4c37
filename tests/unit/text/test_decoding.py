"""Bytes become text, and what no file may hold is found."""

import sys

from tocsin.text.decoding import UNPRINTABLE
from yaml.reader import Reader


def test_what_yaml_cannot_read_is_no_text() -> None:
    """Of all characters those that YAML refuses, and the mark that may stand at the very beginning alone."""
    every = "".join(map(chr, range(sys.maxunicode + 1)))
    assert set(UNPRINTABLE.findall(every)) == {*Reader.NON_PRINTABLE.findall(every), "\ufeff"}
