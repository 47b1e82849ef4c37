"""The stage of the timeline tests: compact configs, incidents and scripts in, and timelines compared as tables.

A timeline is a table, one line a message (several readers by comma, several channels by plus):

    AFTER  KIND  REASON  TO  VIA  FOR  [LEVEL/ROUND]

FOR is the roles of a page (by comma), the group of an update, or `-`. Configs, incidents, scripts and tables may write
ic, tl, co and sc for the four roles that have a meaning of their own. Knows nothing of how timelines are computed.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from difflib import ndiff
from functools import cache
from pathlib import Path
from typing import Any, Self

import yaml
from tocsin.app.configuration.read_tree import read_tree
from tocsin.domain.facts import Answer, Answered, ChannelRefused, Fact, PageLost, Seen
from tocsin.domain.history import History
from tocsin.domain.incident import Incident
from tocsin.domain.notification import Notification, Suppression
from tocsin.domain.people import Channel
from tocsin.domain.policy import Policy
from tocsin.formats.incident.read import digest, read_incident
from tocsin.planning.history.fold import apply_fact, fold_facts
from tocsin.planning.history.redating import moved
from tocsin.planning.plan import plan

from tests.builders.simulations import simulated

START = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
"""A Monday morning, 11:00 in Berlin."""

ANY = "any"
"""For `coming`: the instant of the next message is not what the test is about."""

_ROLES = {"ic": "incident_commander", "tl": "technical_lead", "co": "communications", "sc": "scribe"}
_SHORT = {name: short for short, name in _ROLES.items()}
_KINDS = ("page", "stand_down", "update", "closing", "reminder", "verify", "review", "operator")
_UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}

_BOTH = ("ana", "bo", "chen", "dai", "eve", "fay", "gus", "hal", "olga", "pia")
_PEOPLE: dict[str, dict[str, Any]] = {
    **{who: {"email": f"{who}@example.com", "phone": f"+141555501{n:02}"} for n, who in enumerate(_BOTH, 1)},
    **{who: {"email": f"{who}@example.com"} for who in ("ceo", "cto", "max")},
    **{who: {"phone": f"+141555502{n:02}"} for n, who in enumerate(("pat", "pet"), 1)},
}
"""ana to pia have both channels; ceo, cto and max only email; pat and pet only a phone."""

_SETTINGS = """
operators: [olga]
last_resort: [{last_resort}]
unreadable_severity: fallback
email: {{transport: outbox, sender: "Incidents <incidents@example.com>"}}
sms: {{transport: outbox, sender: "+15005550006"}}
"""
_KEEPER = """
severities: {fallback: {page: {roles: [keeper], via: [sms], acknowledge_within: 5m}}}
roles: {keeper: {chain: [olga]}}
"""


def full(text: str) -> str:
    """The text with the four roles' short names written out."""
    return re.sub(r"\b(ic|tl|co|sc)\b", lambda found: _ROLES[found[1]], text)


def span_of(text: str) -> timedelta:
    """`1d2h3m4s` as a timedelta; 0 is none."""
    parts = re.findall(r"(\d+)([dhms])", text)
    assert text == "0" or text == "".join(n + unit for n, unit in parts), text
    return timedelta(seconds=sum(int(n) * _UNITS[unit] for n, unit in parts))


def folder_of(config: str, last_resort: str = "olga") -> dict[str, bytes]:
    """The files of a config folder: fragments' keys as written; people that are not written are the stage's own."""
    written = yaml.safe_load(full(config)) or {}
    gone = {*(written.get("people") or {}), *written.pop("without", [])}
    people = {who: value for who, value in _PEOPLE.items() if who not in gone}
    return {
        "tocsin.yaml": _SETTINGS.format(last_resort=last_resort).encode(),
        "people.yaml": yaml.safe_dump({"people": people}).encode(),
        "keeper.yaml": _KEEPER.encode(),
        "test.yaml": re.sub(r"(?m)^\s*without:.*$", "", full(config)).encode(),
    }


@cache
def policy_of(config: str, last_resort: str = "olga") -> Policy:
    """The policy of a compact config, read as the daemon reads it."""
    read = read_tree(folder_of(config, last_resort), Path("config"), START, {})
    assert read.policy is not None, [str(each) for each in read.problems]
    return read.policy


def play(
    config: str, incident: str, script: str = "", span: str = "1h", at: datetime = START, last_resort: str = "olga"
) -> dict[str, Any]:
    """The document of `simulate --format json` for this config, incident file and script."""
    steps: list[dict[str, Any]] = yaml.safe_load(full(script)) or []
    fields = {"title": "Trouble", **yaml.safe_load(full(incident))}
    text = yaml.safe_dump(fields, allow_unicode=True, sort_keys=False)
    return simulated(policy_of(config, last_resort), text, at, span_of(span), steps)


def shows(
    config: str,
    incident: str,
    expected: str,
    *,
    script: str = "",
    span: str = "1h",
    at: datetime = START,
    last_resort: str = "olga",
    coming: str | None = ANY,
) -> None:
    """Assert that the timeline is exactly this table, in the order of rule 29; `coming` is `next` as an after."""
    document = play(config, incident, script, span, at, last_resort)
    said, wanted_lines = [line_of(message) for message in document["messages"]], table(expected)
    assert said == wanted_lines, "\n" + "\n".join(ndiff(wanted_lines, said))
    if coming != ANY:
        wanted = None if coming is None else (at + span_of(coming)).strftime("%Y-%m-%dT%H:%M:%SZ")
        assert document["next"] == wanted


def table(text: str) -> list[str]:
    """The lines of an expected timeline, one a message, in the order of rule 29."""
    found: list[tuple[tuple[timedelta, int, str, str], str]] = []
    for row in text.split("\n"):
        words = row.split("#")[0].split()
        if not words:
            continue
        after, kind, reason, to, via, what, *position = words
        at = span_of(after)
        for who in to.split(","):
            for channel in via.split("+"):
                line = _line(at, kind, reason, who, channel, what, position[0] if position else "")
                found.append(((at, _KINDS.index(kind), who, channel), line))
    return [line for _, line in sorted(found, key=lambda each: each[0])]


def line_of(message: Mapping[str, Any]) -> str:
    """A message of the JSON document as a line of a table."""
    roles, level, round_ = message["roles"], message["level"], message["round"]
    assert not (roles and message["group"]), "a message has roles or a group"
    what = ",".join(_SHORT.get(role, role) for role in roles) or message["group"] or "-"
    position = "" if level is None and round_ is None else f"{level}/{round_}"
    at = timedelta(seconds=message["after"])
    return _line(at, message["kind"], message["reason"], message["to"], message["via"], what, position)


def _line(after: timedelta, kind: str, reason: str, to: str, via: str, what: str, position: str) -> str:
    return f"{clock(after):>9} {kind} {reason} {to} {via} {what} {position}".rstrip()


def clock(after: timedelta) -> str:
    """A timedelta as `1d2h3m4s`."""
    left, said = int(after.total_seconds()), ""
    for unit, seconds in _UNITS.items():
        said += f"{left // seconds}{unit}" if left >= seconds else ""
        left %= seconds
    return said or "0"


class Watch:
    """The daemon's view: the planner asked at instants of the test's choosing, each decision recorded.

    For what `simulate` cannot show: a daemon that was down, and a config that changes under an open incident.
    """

    def __init__(self, config: str, incident: str, last_resort: str = "olga") -> None:
        self.policy = policy_of(config, last_resort)
        self.last_resort = last_resort
        self.history = History()
        self.facts: list[Fact] = []
        self.fields: dict[str, Any] = {"title": "Trouble", **yaml.safe_load(full(incident))}
        self.said: list[Notification] = []
        self.suppressed: list[Suppression] = []
        self.next_look: datetime | None = START
        self.see("0")

    @classmethod
    def of_unreadable_file(cls, config: str, last_resort: str = "olga") -> Self:
        """The view of a file that is not YAML at all, from when it has been still for long enough (rule 32)."""
        watch = cls(config, "severity: s1", last_resort)
        watch.history, watch.facts = History(), []
        watch.see_unreadable("0")
        return watch

    @classmethod
    def of_text(cls, config: str, text: str) -> Self:
        """The view of a file as somebody wrote it, half-typed or not."""
        watch = cls(config, "severity: s1")
        watch.history, watch.facts, watch.fields = History(), [], {}
        watch.see_text("0", text)
        return watch

    def see_text(self, after: str, text: str) -> None:
        """The file is seen with this text."""
        data = full(text).encode()
        reading = read_incident(data, "trouble.yaml", self.policy, self.history.incident, "trouble.yaml")
        assert reading.incident is not None
        self.note(Seen(START + span_of(after), reading.incident, digest(data)))

    def see_unreadable(self, after: str) -> None:
        """A version that is not YAML at all is seen."""
        self.note(Seen(START + span_of(after), Incident("trouble", "trouble.yaml", "", unreadable=True)))

    def pass_(self, after: str, person: str) -> None:
        """A person declines."""
        self.note(Answered(START + span_of(after), person, Answer.PASS))

    def see(self, after: str, changes: str = "") -> None:
        """The file is seen with these fields replaced."""
        self.fields |= yaml.safe_load(full(changes)) or {}
        data = yaml.safe_dump(self.fields, allow_unicode=True).encode()
        reading = read_incident(data, "trouble.yaml", self.policy, self.history.incident, "trouble.yaml")
        assert reading.incident is not None
        self.note(Seen(START + span_of(after), reading.incident))

    def note(self, fact: Fact) -> None:
        """Something happened; look soon."""
        self.facts.append(fact)
        self.history = apply_fact(self.history, fact)
        self.next_look = fact.at

    def move_clock(self, by: str) -> None:
        """The clock is put forward by that, and all that is recorded with it: later instants are the new clock's."""
        self.facts = [moved(fact, span_of(by)) for fact in self.facts]
        self.history = fold_facts(self.facts)
        self.next_look = max(fact.at for fact in self.facts)

    def ack(self, after: str, person: str) -> None:
        """A person answers ok."""
        self.note(Answered(START + span_of(after), person, Answer.OK))

    def refuse(self, after: str, person: str, via: str, address: str = "") -> None:
        """A channel is refused for good, by that address."""
        self.note(ChannelRefused(START + span_of(after), person, Channel(via), address))

    def lose(self, after: str, person: str, page: str, again: str = "") -> None:
        """The page of that instant reached nobody; `again`, if given, it is tried once more by that channel in 30 s."""
        at = START + span_of(after)
        once_more = (Channel(again), at + timedelta(seconds=30)) if again else None
        self.note(PageLost(at, person, START + span_of(page), again=once_more))

    def deliver(self, after: str, person: str, page: str) -> None:
        """The page of that instant, which had reached nobody, was delivered after all by SMS."""
        self.note(PageLost(START + span_of(after), person, START + span_of(page), Channel.SMS, delivered=True))

    def configure(self, after: str, config: str) -> None:
        """A new config becomes current."""
        at = START + span_of(after)
        self.policy = replace(policy_of(config, self.last_resort), since=at, revision=f"r-{after}")
        self.next_look = at

    def look(self, after: str) -> list[str]:
        """Plan at that instant and record; the lines of what is due, without their instants."""
        return [line.split(maxsplit=1)[1] for line in self._look(START + span_of(after))]

    def until(self, after: str) -> None:
        """Follow the planner's next looks up to and including that instant."""
        for _ in range(10_000):
            if self.next_look is None or self.next_look > START + span_of(after):
                return
            self._look(self.next_look)
        raise AssertionError("the planner looks without end")

    def showed(self, expected: str) -> None:
        """Assert that all that was due so far is exactly this table."""
        said, wanted = in_order(self.said), table(expected)
        assert said == wanted, "\n" + "\n".join(ndiff(wanted, said))

    def _look(self, now: datetime) -> list[str]:
        assert self.history.incident is not None
        made = plan(self.history.incident, self.policy, self.history, now)
        self.facts += made.facts
        self.history, self.next_look = made.history, made.next_look
        said = [due.notification for due in made.due]
        self.said += said
        self.suppressed += made.suppressed
        return in_order(said)


def in_order(said: Iterable[Notification]) -> list[str]:
    """Notifications as lines of a table, in the order of rule 29."""
    ordered = sorted(said, key=lambda each: (each.at, _KINDS.index(each.kind), each.to, each.via.value))
    return [line_of({**asdict(each), "after": (each.at - START).total_seconds()}) for each in ordered]


def rows(text: str) -> list[str]:
    """A table whose instants are left out, in the order of rule 29."""
    written = "\n".join(f"0 {row}" for row in text.split("\n") if row.strip())
    return [line.split(maxsplit=1)[1] for line in table(written)]
