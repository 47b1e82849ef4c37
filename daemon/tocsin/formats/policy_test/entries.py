"""Expectation entries of a policy test, read into values: every name in them leads somewhere, and each could hold.

Decides what an entry means and what could never match (unknown people, groups, roles; reasons that a kind never has).
Must not know the rest of a test, nor what the plan does.
"""

from collections.abc import Iterator

from tocsin.domain.notification import Kind
from tocsin.domain.policy import RESPONDER, Policy
from tocsin.domain.problem import Problem
from tocsin.formats.policy_test.expectations import (
    ANY_TIME,
    CALLED,
    REASONS,
    WITH_ROLES,
    Exactly,
    Expectation,
    ExpectedMessage,
    MessagePattern,
    Never,
    NoneAfter,
)
from tocsin.formats.policy_test.models import ExpectEntry, MessageEntry
from tocsin.formats.schema.pydantic_problems import Located
from tocsin.text.names import person_named, quotable, role_named
from tocsin.text.scalars import closest
from tocsin.text.yaml import KeyPath

_ONLY = {
    "as_": (WITH_ROLES, "names roles"),
    "level": ({Kind.PAGE}, "has a level"),
    "round": ({Kind.PAGE}, "has a round"),
    "group": ({Kind.UPDATE}, "goes to a group"),
}
_WITH_MESSAGE = ("after", "as_", "via", "reason", "level", "round", "to", "group")
_SHAPES = "write such as {after: 5m, page: ana}, {never: page, to: ana}, {none_after: 2h} or {exactly: [...]}"


class Entries:
    """Reads the entries of one test. `problems` are what could not be read; `document` knows their places."""

    def __init__(self, document: Located, policy: Policy) -> None:
        self.document = document
        self.policy = policy
        self.problems: list[Problem] = []
        self._addresses = {email.casefold(): email for group in policy.stakeholders.values() for email in group.emails}

    def read(self, entry: ExpectEntry, path: KeyPath) -> Iterator[Expectation]:
        """What one entry expects; several things when it names several readers."""
        others = [key for key in ("never", "none_after", "exactly") if getattr(entry, key) is not None]
        named = [*self._kinds(entry), *others]
        if len(named) != 1:
            message = (
                f"names {' and '.join(named)}; write one entry for each" if named else f"expects nothing; {_SHAPES}"
            )
            self._tell(path, "expectation-shape", f"an expectation {message}")
        elif not others:
            yield from map(ExpectedMessage, self._messages(entry, path))
        elif entry.never is not None:
            yield from self._never(entry, entry.never, path)
        elif self._alone(entry, named[0], path):
            if entry.none_after is not None:
                yield NoneAfter(entry.none_after, self._place(path))
            else:
                patterns: list[MessagePattern] = []
                for index, message_entry in enumerate(entry.exactly or ()):
                    patterns += self._exact(message_entry, (*path, "exactly", index))
                yield Exactly(tuple(patterns), self._place(path))

    def _exact(self, entry: MessageEntry, path: KeyPath) -> Iterator[MessagePattern]:
        """One entry of an `exactly` list."""
        if len(self._kinds(entry)) == 1:
            yield from self._messages(entry, path)
        else:
            self._tell(
                path, "expectation-shape", "an entry of `exactly` names one message; write {after: 5m, page: ana}"
            )

    def _messages(self, entry: MessageEntry, path: KeyPath) -> Iterator[MessagePattern]:
        """The messages that an entry with a kind speaks of, one for each reader."""
        key = self._kinds(entry)[0]
        kind = CALLED[key]
        readers: list[str] = getattr(entry, key)
        if entry.to is not None and kind is not Kind.UPDATE:
            self._tell(
                (*path, "to"), "expectation-shape", f"`to` stands beside never or update; {key} says who already"
            )
            return
        only = [self._reader(kind, name, (*path, "to")) for name in entry.to or ()]
        for index, name in enumerate(readers):
            to, group = self._reader(kind, name, (*path, key, index))
            for reader, _ in only or [(to, "")]:
                yield self._wanted(entry, kind, reader, group, path)

    def _never(self, entry: ExpectEntry, word: str, path: KeyPath) -> Iterator[Expectation]:
        """What never is sent, one for each reader; to anybody when none is named."""
        if word not in CALLED:
            message = f'"{quotable(word)}" is no kind of message; write {", ".join(CALLED)}{closest(word, CALLED)}'
            self._tell((*path, "never"), "unknown-kind", message)
            return
        kind = CALLED[word]
        listed = list(enumerate(entry.to or ()))
        named = [self._reader(kind, name, (*path, "to", index)) for index, name in listed]
        for to, group in named or [("", "")]:
            yield Never(self._wanted(entry, kind, to, group, path))

    def _wanted(self, entry: MessageEntry, kind: Kind, to: str, group: str, path: KeyPath) -> MessagePattern:
        """The refinements of an entry, each fit for the kind."""
        for key, (kinds, has) in _ONLY.items():
            if getattr(entry, key) is not None and kind not in kinds:
                inside = (*path, key.rstrip("_"))
                self._tell(inside, "never-matches", f"no {kind} {has}; leave `{key.rstrip('_')}` out", key=True)
        if entry.reason is not None and entry.reason not in REASONS[kind]:
            listed = ", ".join(REASONS[kind])
            message = f'no {kind} is sent for the reason "{entry.reason}"; write one of {listed}'
            self._tell((*path, "reason"), "never-matches", message)
        if entry.group is not None and kind is Kind.UPDATE:
            group = self._group(entry.group, (*path, "group"))
        return MessagePattern(
            kind,
            to,
            group,
            tuple(self._role(name, (*path, "as", index)) for index, name in enumerate(entry.as_ or ())),
            tuple(entry.via or ()),
            entry.reason,
            entry.level,
            entry.round,
            entry.after or ANY_TIME,
            self._place(path),
        )

    def _reader(self, kind: Kind, name: str, path: KeyPath) -> tuple[str, str]:
        """Who is meant: a person or a plain address, and for updates perhaps a group."""
        if kind is Kind.UPDATE and name in self.policy.stakeholders:
            return "", name
        if kind in (Kind.UPDATE, Kind.CLOSING) and name.casefold() in self._addresses:
            return self._addresses[name.casefold()], ""
        try:
            return person_named(name, self.policy), ""
        except ValueError as fault:
            self._tell(path, "unknown-person", self._nobody(kind, name, str(fault)))
            return name, ""

    def _nobody(self, kind: Kind, name: str, fault: str) -> str:
        """Why a name leads nowhere; groups and addresses are told where they could stand."""
        group = self.policy.stakeholders.get(name)
        if group is not None:
            return f'"{name}" is a group, and a {kind} goes to single readers: {", ".join(group.people + group.emails)}'
        if kind in (Kind.UPDATE, Kind.CLOSING):
            known = [*self.policy.people, *self._addresses.values()]
            what = "person or address"
            if kind is Kind.UPDATE:
                known, what = [*self.policy.stakeholders, *known], "group, person or address"
            return f'unknown {what} "{quotable(name)}"{closest(name, known)}'
        return fault

    def _group(self, name: str, path: KeyPath) -> str:
        if name not in self.policy.stakeholders:
            message = f'unknown stakeholder group "{quotable(name)}"{closest(name, self.policy.stakeholders)}'
            self._tell(path, "unknown-stakeholder-group", message)
        return name

    def _role(self, name: str, path: KeyPath) -> str:
        if name != RESPONDER:
            try:
                return role_named(name, self.policy)
            except ValueError as fault:
                self._tell(path, "unknown-role", str(fault))
        return name

    def _alone(self, entry: ExpectEntry, key: str, path: KeyPath) -> bool:
        """Whether an entry about all messages has no refinement, which would mean nothing there."""
        beside = next((word for word in _WITH_MESSAGE if getattr(entry, word) is not None), None)
        if beside is not None:
            word = beside.rstrip("_")
            self._tell((*path, word), "expectation-shape", f"`{word}` cannot stand beside `{key}`", key=True)
        return beside is None

    @staticmethod
    def _kinds(entry: MessageEntry) -> list[str]:
        return [key for key in CALLED if getattr(entry, key) is not None]

    def _place(self, path: KeyPath) -> str:
        start = self.document.problem(path, "", "")
        return f"{start.file}:{start.line}"

    def _tell(self, path: KeyPath, code: str, message: str, *, key: bool = False) -> None:
        problem = self.document.problem(path, code, message, key=key)
        if problem not in self.problems:
            self.problems.append(problem)
