"""The values of an incident file's fields: text, instant, truth; a good value, or a problem and nothing.

Decides how long a text may be, what is cleaned from it, and what is told of a wrong value. Must not know which fields
there are.
"""

from collections.abc import Callable
from datetime import datetime

from tocsin.domain.policy import Policy
from tocsin.domain.problem import Problem, ProblemLevel
from tocsin.text import scalars
from tocsin.text.cleaning import clean, cut, one_line
from tocsin.text.names import quotable
from tocsin.text.yaml import Document, Path, Value

TITLE_LIMIT = 200
"""The longest title, in characters."""
NAME_LIMIT = 200
"""The longest free-text name (`by`, `declared_by`, `verified_by`), in characters."""
TEXT_LIMIT = 10_000
"""The longest of the long texts (`summary`, `impact`, `resolution`, an entry's `text`), in characters."""
LINK_LIMIT = 2_000
"""The longest link under `review`, in characters."""
PROBLEM_LIMIT = 100
"""The most problems told of one file's fields."""

_YEARS = range(1970, 2200)
_TRUE, _FALSE = {"yes", "on"}, {"no", "off"}


class Values:
    """Reads values of one document, gathering problems."""

    __slots__ = ("document", "escapes_lost", "policy", "problems")

    def __init__(self, document: Document, policy: Policy) -> None:
        self.document = document
        self.policy = policy
        self.problems: list[Problem] = []
        self.escapes_lost = any(problem.code == "control-character" for problem in document.problems)

    def tell(self, path: Path, code: str, message: str, *, key: bool = False, warn: bool = False) -> None:
        """Note a problem at a path, up to the limit."""
        if len(self.problems) < PROBLEM_LIMIT:
            level = ProblemLevel.WARNING if warn else ProblemLevel.ERROR
            self.problems.append(self.document.problem(path, code, message, key=key, level=level))

    def known_keys(self, path: Path, mapping: dict[str, Value], known: tuple[str, ...]) -> None:
        """Warn of keys that mean nothing here."""
        for key in mapping:
            if key not in known:
                hint = scalars.closest(key, known)
                name = cut(clean(key), NAME_LIMIT)
                self.tell((*path, key), "unknown-key", f'unknown key "{name}"{hint}', key=True, warn=True)

    def scalar(self, path: Path, value: Value, meant: str) -> str | None:
        """A single value as written; None when it is empty, or something else (a problem)."""
        if isinstance(value, (list, dict)):
            found = "a list" if isinstance(value, list) else "a mapping"
            self.tell(path, "wrong-type", f"{name_of(path)} is {found}; write {meant} instead")
            return None
        return value.strip() or None if value is not None else None

    def text(self, path: Path, value: Value, limit: int = TEXT_LIMIT, *, lines: bool = True) -> str:
        """Free text, cleaned and bounded; empty when there is none."""
        written = self.scalar(path, value, "a text")
        if written is None:
            return ""
        text = clean(written, escapes_lost=self.escapes_lost)
        if not lines:
            text = one_line(text)
        if len(text) > limit:
            self.tell(path, "too-long", f"{name_of(path)} is cut to {limit} characters; shorten it", warn=True)
        return cut(text, limit)

    def instant(self, path: Path, value: Value) -> datetime | None:
        """An instant with an offset or Z, in UTC."""
        written = self.scalar(path, value, "an instant such as 2026-11-23T10:04:00Z")
        if written is None:
            return None
        try:
            at = scalars.instant(quotable(written).upper())
        except ValueError as fault:
            self.tell(path, "not-an-instant", f"{name_of(path)}: {fault}")
            return None
        if at.year in _YEARS:
            return at
        self.tell(path, "not-an-instant", f"{name_of(path)}: the year {at.year} cannot be meant; correct it")
        return None

    def truth(self, path: Path, value: Value) -> bool:
        """True or false, also in the words people use; false when it is neither (a problem)."""
        written = self.scalar(path, value, "true or false")
        if written is None:
            return False
        if written.lower() in _TRUE | _FALSE:
            return written.lower() in _TRUE
        try:
            return scalars.truth(written.capitalize())
        except ValueError:
            self.tell(path, "not-a-truth", f'{name_of(path)} is "{quotable(written)}"; write true or false')
            return False

    def named(
        self, path: Path, value: Value, meant: str, find: Callable[[str], str], *, key: bool = False
    ) -> str | None:
        """A name that the config knows; None when there is none, or a wrong one (a problem)."""
        written = self.scalar(path, value, f"the name of a {meant}")
        if written is None:
            return None
        try:
            return find(written)
        except ValueError as fault:
            self.tell(path, f"unknown-{meant}", str(fault), key=key)
            return None


def name_of(path: Path) -> str:
    """The field at a path, in words: `updates[2].at`."""
    return "".join(f"[{part + 1}]" if isinstance(part, int) else f".{quotable(part)}" for part in path).lstrip(".")
