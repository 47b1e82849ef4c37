"""The sections of a file: the lines of each of its keys with the comments below, so that a change of one section leaves
all others as they stand, letter by letter.

Must not know what is changed, nor how.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import pairwise

from tocsin.text.yaml import Document

_OTHER_BREAKS = re.compile("[\r\x85\u2028\u2029]")
"""What YAML breaks lines at besides: such a text is not cut."""


@dataclass(frozen=True, slots=True)
class Sections:
    """A text, cut where its keys begin: what stands before the first one, and each key's lines."""

    head: str
    by_key: Mapping[str, str]

    @classmethod
    def of(cls, text: str, document: Document) -> "Sections | None":
        """Those of a text, by where the keys of what was read of it stand. None where they share lines, are indented,
        or are no plain `key:`.
        """
        marks = {str(path[0]): mark for path, mark in document.keys.items() if len(path) == 1}
        begins = sorted((mark.line, key) for key, mark in marks.items())
        shared = len({place for place, _ in begins}) < len(begins) or any(mark.column for mark in marks.values())
        if shared or _OTHER_BREAKS.search(text):
            return None
        lines = [f"{line}\n" for line in text.removesuffix("\n").split("\n")] if text else []
        if any(lines[place].startswith("?") for place, _ in begins):
            return None
        cuts = [*begins, (len(lines), "")]
        by_key = {key: "".join(lines[begin:end]) for (begin, key), (end, _) in pairwise(cuts)}
        return cls("".join(lines[: cuts[0][0]]), by_key)

    def text_of(self, keys: Collection[str]) -> str:
        """The sections of these keys alone."""
        return "".join(section for key, section in self.by_key.items() if key in keys)

    def with_changed(self, changed: "Sections") -> str:
        """The whole text with these sections in the place of the old ones, and new ones at the end."""
        found = {key: changed.by_key.get(key, section) for key, section in self.by_key.items()}
        new = "".join(section for key, section in changed.by_key.items() if key not in found)
        text = "".join(found.values())
        end = _end_of_keys(text)
        return self.head + text[:end] + new + text[end:]


def _end_of_keys(text: str) -> int:
    """Where nothing but comments and blank lines follows: they stay at the end."""
    end = len(text)
    while end:
        start = text.rfind("\n", 0, end - 1) + 1
        if text[start] not in "#\n":
            break
        end = start
    return end
