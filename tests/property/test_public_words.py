"""Outsiders look up no word that no message told them (issue 12, point 5): each text of their page, of its JSON and of
its feeds stood in a message to outsiders, or is a sentence of ours, which says nothing of anybody's incident.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from hypothesis import given, settings
from hypothesis import strategies as st
from tocsin.adapters.jinja.pages import JinjaPages
from tocsin.adapters.jinja.renderer import JinjaRenderer
from tocsin.domain.facts import Answer, Answered, Fact, Seen
from tocsin.domain.history import History
from tocsin.domain.incident import ALERTMANAGER, Incident, Status, UpdateEntry
from tocsin.domain.people import Channel, FirstUpdate, StakeholderGroup
from tocsin.domain.policy import Cadence, Policy, Severity, Span, Stream
from tocsin.planning.history.fold import fold_facts
from tocsin.planning.plan import plan
from tocsin.web.http import FOLDER
from tocsin.web.incidents.feeds import Publisher, atom_list, atom_one, json_list, json_one
from tocsin.wording.report.chart_lanes import STATUS_TONES
from tocsin.wording.report.public.updates import AGAIN, EXERCISE, LAST_WORD, STANDING
from tocsin.wording.report.public.view import PublicView, public_view
from tocsin.wording.report.timeline import steps_of

from tests.builders.examples import some
from tests.builders.instants import MINUTE, T0
from tests.builders.policies import shipped_policy

TEMPLATES = Path(__file__).parents[2] / "templates"
PAGES = JinjaPages(FOLDER / "pages")
EVERY = {"customers": 7, "merchants": 11, "partners": 9}
FIRST = dict(zip(EVERY, FirstUpdate, strict=True))
PUBLISHER = Publisher("Acme", "desk@example.com", "https://pager.example.com")


def a_policy() -> Policy:
    """Three groups of outsiders, each with a cadence and a first word of its own; in sev2 only one of them."""
    groups = {
        name: StakeholderGroup(name, name, (), (f"{name}@lists.example.com",), external=True, first=first)
        for name, first in FIRST.items()
    }
    streams = tuple(Stream((name,), Cadence((Span(every * MINUTE, None),))) for name, every in EVERY.items())
    severities = {
        "sev1": Severity("sev1", "Critical", updates=streams),
        "sev2": Severity("sev2", "Major", updates=streams[:1]),
        "sev3": Severity("sev3", "Minor"),
    }
    return replace(shipped_policy(), stakeholders=groups, severities=severities, organisation="Acme")


POLICY = a_policy()
WORD = st.text("abcdefghijklmnop", min_size=6, max_size=6)
"""Six letters that stand in no sentence of ours."""
ENTRY = st.builds(UpdateEntry, WORD, st.just("") | WORD, st.none(), WORD)
CHANGE = st.fixed_dictionaries(
    {},
    optional={
        "title": WORD,
        "public_title": st.just("") | WORD,
        "summary": WORD,
        "impact": st.just("") | WORD,
        "severity": st.sampled_from(["sev1", "sev1", "sev2", "sev3"]),
        "status": st.sampled_from(Status),
        "eta": st.none() | st.integers(0, 90).map(lambda minutes: T0 + minutes * MINUTE),
        "resolution": WORD,
        "public_resolution": st.just("") | WORD,
        "drill": st.sampled_from([False, False, False, True]),
        "entry": ENTRY,
        "accepted": st.just(True),
    },
)
STORY = st.lists(st.tuples(st.integers(1, 12), CHANGE), min_size=1, max_size=7)
FIRST_VERSION = st.builds(
    Incident,
    id=st.just("internal-id-of-it"),
    title=WORD,
    severity=st.sampled_from(["sev1", "sev2"]),
    summary=WORD,
    impact=st.just("") | WORD,
    public_title=st.just("") | WORD,
    declared_by=st.sampled_from(["Ana", ALERTMANAGER]),
    started_at=st.none() | st.just(T0 - 5 * MINUTE),
)


class Daemon:
    """What the plan makes of a story, and every message to outsiders in its words."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.told: list[str] = []
        self._renderer = JinjaRenderer(TEMPLATES, lambda _: None)

    def happen(self, fact: Fact) -> None:
        self.facts.append(fact)
        self._plan(fact.at)

    def wait(self, to: datetime) -> None:
        """Whatever falls due until then."""
        while (at := self._next()) is not None and at <= to:
            if not self._plan(at):
                return

    def _next(self) -> datetime | None:
        history = fold_facts(self.facts)
        assert history.incident is not None
        return plan(history.incident, POLICY, history, max(fact.at for fact in self.facts)).next_look

    def _plan(self, at: datetime) -> bool:
        history = fold_facts(self.facts)
        assert history.incident is not None
        planned = plan(history.incident, POLICY, history, at)
        for due in planned.due:
            if due.notification.external:
                self._tell(due.notification, history.incident, history)
        self.facts += planned.facts
        return bool(planned.facts)

    def _tell(self, notification: Any, incident: Incident, history: History) -> None:
        for via in Channel:
            content = self._renderer.render(replace(notification, via=via), incident, history, POLICY)
            self.told.append(_line(f"{content.subject or ''} {content.text}"))


def _line(text: str) -> str:
    return " ".join(text.split())


class _Texts(HTMLParser):
    """The texts of a page, with what its attributes say to people."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.texts.append(_line(data))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.texts += [
            _line(value) for name, value in attrs if value and name in ("title", "alt", "aria-label", "content")
        ]


DATE = r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) \d\d? \w{3}, )?\d\d:\d\d(?::\d\d)? UTC"
OURS = re.compile(
    "|".join(
        (
            DATE,
            r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
            r"urn:uuid:[0-9a-f-]{36}",
            r"https://pager\.example\.com/\S*",
            "|".join(status.value for status in Status),
            r"(?:\w{6}|Service disruption|Untitled incident): (?:investigating|identified|monitoring|resolved) · Acme",
            r"(?:\w{6}|Service disruption) · Acme",
            "Acme|Incidents · Acme|desk@example.com|Questions\\? Write to|To follow this elsewhere:|Atom feed|JSON|[.,]",
            r"width=device-width, initial-scale=1|light dark|30|tocsin|Pages|All incidents|Skip to the content",
            r"Incidents \((?:Atom|JSON)\)|Now|How it ended|Next update by|when something changes|From|Since|Reopened|First told",
            r"Expected to be fixed by|It takes longer than the|we expected; no new estimate yet|Impact:?|What was said|Sign in",
            r"All times are UTC\.|; this page looks again every 30 seconds\.|\d+ entries between these are left out here\.",
            r"No known incident · Acme|No known incident|Nothing is known to be wrong\.|Incidents",
            r"\d incidents? (?:is|are) going on|· next update by|Resolved in the last 90 days",
        )
    )
)
SENTENCES = {*STANDING, LAST_WORD, AGAIN, EXERCISE, "Service disruption"}


def texts_of(view: PublicView, now: datetime) -> Iterator[str]:
    """Each text of the page, the list, the JSON and the feeds."""
    common = {"now": now, "again": 30, "tones": STATUS_TONES, "organisation": "Acme", "reply_to": "desk@example.com"}
    common |= {"feeds": ("/s/x.atom", "/s/x.json")}
    going, over = ([], [(view, "/s/x")]) if view.resolved_at else ([(view, "/s/x")], [])
    pages = (
        PAGES.render("incidents/public_one", {**common, "view": view, "drawings": ()}),
        PAGES.render("incidents/public_list", {**common, "going": going, "over": over}),
    )
    for page in pages:
        parser = _Texts()
        parser.feed(page)
        yield from parser.texts
    entry = (view, "/s/x")
    for document in (json_list(PUBLISHER, [entry], "/incidents"), json_one(PUBLISHER, entry)):
        yield from _leaves(json.loads(document))
    for feed in (
        atom_list(PUBLISHER, [entry], "/incidents", "/incidents.atom"),
        atom_one(PUBLISHER, entry, "/s/x.atom"),
    ):
        for element in ET.fromstring(feed).iter():
            yield from (_line(text).removeprefix("Impact: ") for text in (element.text, element.tail) if text)


def _leaves(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for part in value.values():
            yield from _leaves(part)
    elif isinstance(value, list):
        for part in value:
            yield from _leaves(part)
    elif isinstance(value, str):
        yield _line(value)


def untold(daemon: Daemon, now: datetime) -> list[str]:
    """What outsiders can look up that no message told them."""
    view = public_view(steps_of(daemon.facts), {}, POLICY)
    if view is None:
        return []
    texts = {text for text in texts_of(view, now) if text}
    titled = re.compile(rf"{re.escape(view.title)}(?:: \w+)?(?: · Acme)")
    return sorted(
        text
        for text in texts
        if text not in SENTENCES
        and not OURS.fullmatch(text)
        and not titled.fullmatch(text)
        and not any(text in told for told in daemon.told)
    ) + ([] if view.title in SENTENCES or any(view.title in told for told in daemon.told) else [f"title {view.title}"])


def play(first: Incident, story: list[tuple[int, dict[str, Any]]]) -> Iterator[tuple[Daemon, datetime]]:
    """The story, after each of its steps."""
    daemon, version, at = Daemon(), first, T0
    daemon.happen(Seen(at, version, "0"))
    yield daemon, at
    for number, (minutes, changes) in enumerate(story, 1):
        at += minutes * MINUTE
        daemon.wait(at)
        yield daemon, at
        known = dict(changes)
        if known.pop("accepted", False):
            daemon.happen(Answered(at, "dee", Answer.OK))
        entry = known.pop("entry", None)
        version = replace(version, **known, updates=(*version.updates, entry) if entry else version.updates)
        daemon.happen(Seen(at, version, str(number)))
        yield daemon, at + timedelta(seconds=1)
    daemon.wait(at + 30 * MINUTE)
    yield daemon, at + 30 * MINUTE


def hold_the_law(first: Incident, story: list[tuple[int, dict[str, Any]]]) -> None:
    for daemon, now in play(first, story):
        assert untold(daemon, now) == []


@settings(max_examples=some(12), deadline=None)
@given(FIRST_VERSION, STORY)
def test_no_word_that_no_message_told(first: Incident, story: list[tuple[int, dict[str, Any]]]) -> None:
    """At any moment of any story."""
    hold_the_law(first, story)


def test_what_the_law_looks_for_is_found() -> None:
    """An internal word on the page would be seen: the law is none that holds of everything."""
    (daemon, now), *_ = play(Incident("x", "titled", "sev1", impact="impact"), [])
    daemon.told = [told.replace("impact", "") for told in daemon.told]
    assert "impact" in untold(daemon, now)
