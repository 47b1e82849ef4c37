"""Random worlds for the laws of the plan: small configs, an incident, and what people do to it.

Says nothing of what follows from them. Every world is plain data, so that the oracle needs none of the project's code.
"""

import json
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from tocsin.domain.people import Channel, FirstUpdate, StakeholderGroup
from tocsin.domain.policy import (
    Cadence,
    Level,
    PagePolicy,
    Policy,
    ReviewPolicy,
    Role,
    Service,
    Severity,
    Span,
    Stream,
    Who,
)

LAST_RESORT = ("olga", "pia")
ROLES = ("technical_lead", "incident_commander", "communications", "scribe")
PEOPLE = ("ana", "bo", "chen", "dai", "pat", "max")
"""pat has only a phone, max only email; everybody else has both."""

HAS = {
    **dict.fromkeys(("ana", "bo", "chen", "dai", "olga", "pia"), ("sms", "email")),
    "pat": ("sms",),
    "max": ("email",),
    "ceo": ("email",),
    "cto": ("email",),
    "hal": ("sms", "email"),
}
OUTSIDE = "fans"
"""The group of outsiders."""


@dataclass(frozen=True)
class Sev:
    """A severity in whole minutes: roles asked, channels, window, rounds, and (group, every, slow) streams: every so many
    minutes, and half as often once `slow` minutes have gone.
    """

    roles: tuple[str, ...]
    via: tuple[str, ...]
    within: int
    rounds: int
    streams: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class World:
    """A config, an incident and its script: (minute, verb, argument), in time order. A `full` world also asks whether
    holders are still there, reminds, verifies and reviews. `first` is when outsiders hear first.
    """

    severities: dict[str, Sev]
    chains: dict[str, tuple[tuple[str, ...], ...]]
    groups: dict[str, tuple[str, ...]]
    responders: tuple[str, ...]
    severity: str
    assigned: dict[str, str]
    steps: tuple[tuple[int, str, str], ...]
    minutes: int = 60
    full: bool = False
    first: str = "at_once"
    by_alerts: bool = False

    def policy(self, base: Policy) -> Policy:
        """The config, on the people of a base that was read once: reading a config for each world would take long."""
        return replace(
            base,
            severities={name: self._severity(name, each) for name, each in self.severities.items()},
            roles={
                role: Role(role, role, chain=tuple(Level(tuple(map(Who, level))) for level in chain))
                for role, chain in self.chains.items()
            },
            services={"shop": Service("shop", "Shop", responders=tuple(map(Who, self.responders)))},
            stakeholders={
                group: StakeholderGroup(
                    group,
                    group,
                    people,
                    external=group == OUTSIDE,
                    first=FirstUpdate(self.first) if group == OUTSIDE else FirstUpdate.AT_ONCE,
                )
                for group, people in self.groups.items()
            },
            last_resort=LAST_RESORT,
            unreadable_severity="s1",
            revision="r1",
        )

    def _severity(self, name: str, each: Sev) -> Severity:
        via = tuple(Channel(channel) for channel in each.via)
        page = PagePolicy(each.roles, via, timedelta(minutes=each.within), each.rounds)
        streams = tuple(Stream((group,), Cadence(_slowing(every, slow))) for group, every, slow in each.streams)
        if not self.full:
            return Severity(name, name, page=page, updates=streams)
        return Severity(
            name,
            name,
            page=replace(page, still_there_after=timedelta(minutes=20)),
            updates=streams,
            remind_before=timedelta(minutes=3),
            verify_after=timedelta(minutes=10),
            review=ReviewPolicy(timedelta(days=1)),
        )

    def incident(self) -> str:
        """The incident file."""
        by = "Alertmanager" if self.by_alerts else "Ana"
        fields = {"title": "Trouble", "severity": self.severity, "services": ["shop"], "roles": self.assigned}
        fields["declared_by"] = by
        return json.dumps(fields)

    def script(self) -> list[dict[str, Any]]:
        """The script, each step by its own verb."""
        return [{"after": timedelta(minutes=at), **_step(verb, what)} for at, verb, what in self.steps]


def _slowing(every: int, slow: int) -> tuple[Span, ...]:
    return (Span(timedelta(minutes=every), timedelta(minutes=slow)), Span(timedelta(minutes=2 * every)))


def _step(verb: str, what: str) -> dict[str, Any]:
    match verb:
        case "fail":
            person, via = what.split()
            return {"fail": {"person": person, "via": via}}
        case "public":
            return {"update": what, "public": what}
        case "severity" | "status":
            return {"set": {verb: what}}
        case _:
            return {verb: what}


def _some(names: tuple[str, ...], least: int = 1) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(names), min_size=least, max_size=3, unique=True).map(tuple)


CHANNELS = st.sampled_from([("sms",), ("email",), ("sms", "email"), ("email", "sms")])


@st.composite
def sevs(draw: st.DrawFn, rounds: int) -> Sev:
    """A severity of that many rounds."""
    stream = st.tuples(st.sampled_from(["execs", "staff", OUTSIDE, OUTSIDE]), st.integers(3, 20), st.integers(1, 60))
    streams = draw(st.lists(stream, unique_by=lambda each: each[0]))
    return Sev(draw(_some(ROLES)), draw(CHANNELS), draw(st.integers(2, 9)), rounds, tuple(streams))


@st.composite
def worlds(draw: st.DrawFn, resolving: bool | None = None, reopening: bool = False) -> World:
    """A world; `resolving` says whether its script has a resolution (None: either), `reopening` whether it may go on."""
    rounds = draw(st.integers(1, 3))
    severities = {name: draw(sevs(rounds)) for name in ("s1", "s2")}
    chains = {role: tuple(draw(st.lists(_some(PEOPLE), min_size=1, max_size=3))) for role in ROLES}
    assigned = draw(st.dictionaries(st.sampled_from(ROLES), st.sampled_from(["ana", "bo", "dai"]), max_size=1))
    minutes = draw(st.lists(st.integers(1, 50), max_size=9, unique=True))
    steps = [(at, *draw(_steps)) for at in sorted(minutes)]
    change = draw(st.none() | st.integers(1, 50).filter(lambda at: at not in minutes))
    if change is not None:
        steps.append((change, "severity", "s2"))
    if draw(st.booleans()) if resolving is None else resolving:
        end = draw(st.integers(1, 58))
        again = draw(st.integers(end + 1, 59)) if reopening and draw(st.booleans()) else 60
        steps = [step for step in steps if step[1] in ("ack", "pass") or not end < step[0] <= again]
        steps.append((end, "status", "resolved"))
        if again < 60:
            steps.append((again, "status", "monitoring"))
    steps.sort(key=lambda step: (step[0], step[2] == "resolved"))
    return World(
        severities,
        chains,
        {"execs": ("ceo", "ana"), "staff": ("cto", "pat"), OUTSIDE: ("hal",)},
        draw(_some(PEOPLE, 0)),
        "s1",
        assigned,
        tuple(steps),
        first=draw(st.sampled_from(["at_once", "accepted", "public"])),
        by_alerts=draw(st.booleans()),
    )


_ANSWERS = st.tuples(st.sampled_from(["ack", "ack", "pass"]), st.sampled_from([*PEOPLE, *LAST_RESORT]))
_FAILS = st.tuples(st.just("fail"), st.sampled_from(["ana sms", "bo email", "pat sms", "max email", "dai sms"]))
_EDITS = st.tuples(st.just("status"), st.sampled_from(["identified", "monitoring", "investigating"]))
_ENTRIES = st.tuples(st.sampled_from(["update", "public"]), st.sampled_from(["x", "y"]))
_steps = st.one_of(_ANSWERS, _ANSWERS, _ANSWERS, _FAILS, _EDITS, _ENTRIES)
