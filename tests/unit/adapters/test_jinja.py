"""Templates by Jinja2: which text speaks, what a broken one costs, and that strangers' text stays text."""

import errno
import os
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tocsin.adapters.jinja import renderer as jinja_renderer
from tocsin.adapters.jinja import sources
from tocsin.adapters.jinja.renderer import JinjaRenderer
from tocsin.adapters.jinja.sources import shipped_folder
from tocsin.domain.delivery import Content
from tocsin.domain.history import GroupHistory, History, RoleHistory, Subject
from tocsin.domain.incident import Incident, Status, UpdateEntry
from tocsin.domain.notification import OUTSIDE_PLAN, Kind, Notification, Reason, ReplyOffer
from tocsin.domain.people import Channel, Person, StakeholderGroup
from tocsin.domain.policy import Cadence, Policy, ReviewPolicy, Role, Service, Severity, Span, Stream
from tocsin.domain.problem import Problem
from tocsin.ports.renderer import TemplateFiles, TemplateVerdict
from tocsin.text.gsm import segments
from tocsin.wording.message import builtin
from tocsin.wording.message.samples import samples
from tocsin.wording.message.wording import Wording, wording

from tests.builders.examples import some
from tests.builders.policies import small_policy
from tests.builders.templates import Grammar

SHIPPED = shipped_folder()
AT = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
KINDS = [kind for kind in Kind if kind not in OUTSIDE_PLAN]
NASTY = [
    "Card payments fail at checkout",
    "🔥💳 Zahlungen schlagen fehl — «alles» kaputt…",
    "Платежи по картам не проходят на странице оформления заказа уже двадцать минут подряд",
    "支付失败，用户无法完成结账",
    "x" * 300,
    "<script>alert('x')</script><img src=x onerror=alert(1)>",
    "{{ 7 * 7 }}{% for i in range(99) %}x{% endfor %}{# no #}",
    "one\r\nBcc: everybody@example.com\r\n\r\ntwo",
    "{\\rtf1} ^~[]|€" * 20,
    "\u202ereversed\u0000\u001b[31mred",
    " ",
]


def policy() -> Policy:
    """Two severities, four roles, people in three zones, an internal and an external group."""
    titles = {
        "incident_commander": "Incident Commander",
        "technical_lead": "Technical Lead",
        "communications": "Communications",
        "scribe": "Scribe",
    }
    stream = Stream(("executives", "customers"), Cadence((Span(timedelta(minutes=30)),)))
    review = ReviewPolicy(timedelta(days=5))
    page = small_policy().severities["sev1"].page
    return small_policy(
        severities={
            "sev1": Severity("sev1", "Critical", "All hands.", page, (stream,), review=review),
            "sev2": Severity("sev2", "Major", "", page, (stream,)),
        },
        roles={role: Role(role, title, f"Duties of {title}.") for role, title in titles.items()},
        people={
            "ana": Person("ana", "Ana Souza", "ana@example.com", "+14155550101", "America/Sao_Paulo"),
            "bo": Person("bo", "Bo Lindqvist", "bo@example.com", "+14155550102", "Europe/Stockholm"),
            "chen": Person("chen", "Chen Wei", "chen@example.com", "", "Asia/Singapore"),
        },
        stakeholders={
            "executives": StakeholderGroup("executives", "Executives", ("chen",), timezone="Europe/Berlin"),
            "customers": StakeholderGroup("customers", "Customers", (), ("status@lists.example.com",), external=True),
        },
    )


POLICY = policy()
INCIDENT = Incident(
    "2026-11-23-card-payments-fail",
    "Card payments fail at checkout",
    "sev1",
    Status.IDENTIFIED,
    summary="Since the release every third request fails.",
    impact="A third of payments fail.",
    services=("checkout",),
    eta=AT + timedelta(hours=3),
    updates=(UpdateEntry("Failover under way.", "We are fixing it.", by="chen"),),
)


def history(incident: Incident = INCIDENT, told: Incident | None = None) -> History:
    """An incident that began at AT, with a holder, and groups that were told of a version."""
    groups = {
        name: GroupHistory(name, name == "customers", AT, AT, told) for name in ("executives", "customers") if told
    }
    roles = {
        "technical_lead": RoleHistory("technical_lead", needed=True, holder="chen"),
        "scribe": RoleHistory("scribe", needed=True),
    }
    resolved_at = AT + timedelta(hours=2, minutes=5) if incident.resolved else None
    return History(incident, 1, started_at=AT, roles=roles, groups=groups, resolved_at=resolved_at)


def notification(kind: Kind, via: Channel, **changes: object) -> Notification:
    """A message of a kind, with what such messages carry."""
    reasons = {Kind.PAGE: Reason.ESCALATED, Kind.STAND_DOWN: Reason.ACCEPTED, Kind.UPDATE: Reason.CHANGED}
    to = "chen" if kind is Kind.UPDATE else "bo"
    each = Notification("key", INCIDENT.id, 1, kind, reasons.get(kind, Reason.RESOLVED), AT, to, via)
    if kind is Kind.UPDATE:
        each = replace(each, group="executives", next_update_at=AT + timedelta(minutes=30))
    elif kind is Kind.REMINDER:
        each = replace(each, next_update_at=AT + timedelta(minutes=30))
    elif kind is not Kind.CLOSING:
        each = replace(each, roles=("technical_lead",))
    return replace(each, **changes)  # type: ignore[arg-type]  # a table of fields for a constructor


@pytest.fixture
def told() -> list[Problem]:
    return []


@pytest.fixture
def renderer(told: list[Problem]) -> JinjaRenderer:
    return JinjaRenderer(SHIPPED, told.append)


def every(**changes: object) -> Iterator[Notification]:
    """A message of every kind on every channel."""
    for kind in KINDS:
        for via in Channel:
            yield notification(kind, via, **changes)


def parts(content: Content) -> str:
    return f"{content.subject}\n{content.text}\n{content.html}"


TEXTS = st.one_of(st.sampled_from(NASTY), st.text(max_size=400), st.lists(st.sampled_from(NASTY)).map(" ".join))
IDS = st.one_of(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}", fullmatch=True), st.just("x" * 80))
ENTRIES = st.lists(st.builds(UpdateEntry, TEXTS, TEXTS, st.none() | st.just(AT), TEXTS), max_size=4).map(tuple)
ROLES = st.lists(st.sampled_from([*POLICY.roles, "responder", "unknown"]), min_size=1, max_size=5, unique=True)
INCIDENTS = st.builds(
    Incident,
    IDS,
    TEXTS,
    st.sampled_from(["sev1", "sev2", "other"]),
    st.sampled_from(Status),
    TEXTS,
    TEXTS,
    eta=st.none() | st.just(AT + timedelta(days=2)),
    updates=ENTRIES,
    resolution=TEXTS,
    drill=st.booleans(),
)


@cache
def lasting() -> tuple[JinjaRenderer, list[Problem]]:
    """A renderer for many examples, and what it told."""
    told: list[Problem] = []
    return JinjaRenderer(SHIPPED, told.append), told


@settings(max_examples=some(60), deadline=None)
@given(INCIDENTS, ROLES.map(tuple), st.sampled_from(Reason), st.booleans())
def test_any_text_gives_a_message_that_fits(
    incident: Incident, roles: tuple[str, ...], reason: Reason, heard: bool
) -> None:
    """Whatever an incident says, the shipped templates give every message, and an SMS in its segments."""
    renderer, told = lasting()
    past = history(incident, replace(INCIDENT, severity="sev2", updates=()) if heard else None)
    for each in every(incident=incident.id):
        asked = replace(each, roles=roles, reason=reason) if each.roles else each
        content = renderer.render(asked, incident, past, POLICY)
        assert content.text.strip()
        assert incident.drill == content.text.startswith("DRILL")
        if each.via is Channel.EMAIL:
            assert content.subject.strip()
            assert not set("\r\n") & set(content.subject)
            assert "<script" not in content.html
            assert "<img" not in content.html
            continue
        assert segments(content.text) <= (1 if each.kind in (Kind.PAGE, Kind.STAND_DOWN) else 3)
        if each.kind is Kind.PAGE:
            assert "tocsin ack" in content.text
            assert len(incident.id) > 70 or f"tocsin ack {incident.id} --as bo" in content.text
        if each.kind is Kind.UPDATE:
            assert "Next update by 18:30 UTC+08." in content.text
    assert not told


def test_a_page_by_sms_says_what_matters(renderer: JinjaRenderer) -> None:
    """Severity, since when, title, why, role, and how to accept, in one segment."""
    content = renderer.render(notification(Kind.PAGE, Channel.SMS), INCIDENT, history(), POLICY)
    assert content.text == (
        "SEV1 11:00 Card payments fail at checkout. Escalated. You: Technical Lead. "
        "Accept: tocsin ack 2026-11-23-card-payments-fail --as bo"
    )
    assert content.subject == content.html == ""


@pytest.mark.parametrize("title", NASTY)
def test_the_title_gives_way_first(renderer: JinjaRenderer, title: str) -> None:
    """A page that must be cut keeps severity, why and the command; a cut title ends in dots (rule 42). One in letters
    that an SMS has not carries neither why nor role.
    """
    incident = replace(INCIDENT, title=title)
    text = renderer.render(notification(Kind.PAGE, Channel.SMS), incident, history(), POLICY).text
    assert segments(text) == 1
    assert text.startswith("SEV1 ")
    assert text.endswith(" Accept: tocsin ack 2026-11-23-card-payments-fail --as bo")
    assert ("Escalated." in text) is ("支付" not in title)
    if len(title) > 200 and title.isascii() and title.isalpha():
        assert "xxx..." in text


LINK = "https://tocsin.example.com/answer/2026-11-23-card-payments-fail/bo/q1w2e3r4t5z6u7i8o9p0a1"
COMMAND = "tocsin ack 2026-11-23-card-payments-fail --as bo"


@given(TEXTS, ROLES.map(tuple), st.integers(0, 220))
@settings(max_examples=some(60), deadline=None)
def test_the_way_to_acknowledge_is_never_cut(title: str, roles: tuple[str, ...], longer: int) -> None:
    """A page by SMS has the whole link where one fits its segment, else the whole command, whatever the title."""
    renderer, _ = lasting()
    link, each = LINK + "x" * longer, replace(notification(Kind.PAGE, Channel.SMS), roles=roles)
    incident, invitation = replace(INCIDENT, title=title), ReplyOffer("", link, "https://tocsin.example.com/x")
    text = renderer.render(each, incident, history(incident), POLICY, invitation).text
    assert segments(text) == 1
    assert text.endswith((f" {link}", f" Accept: {COMMAND}"))
    if title.isascii() and longer == 0:
        assert text.endswith(LINK)
    coded = renderer.render(each, incident, history(incident), POLICY, ReplyOffer("Q42", link)).text
    assert segments(coded) == 1
    assert coded.endswith((" ok Q42 / pass Q42", f" ok Q42 / pass Q42 {link}"))


def test_a_code_is_shorter_than_a_link(renderer: JinjaRenderer) -> None:
    """Where an SMS can be answered, it says how, and no link; the built-in text does likewise."""
    each, invitation = notification(Kind.PAGE, Channel.SMS), ReplyOffer("K7", LINK)
    text = renderer.render(each, INCIDENT, history(), POLICY, invitation).text
    assert text.endswith("You: Technical Lead. ok K7 / pass K7")
    built_in = builtin.builtin_content(wording(each, INCIDENT, history(), POLICY, invitation), Channel.SMS).text
    assert built_in.endswith("You: Technical Lead. ok K7 / pass K7")
    built_in = builtin.builtin_content(
        wording(each, INCIDENT, history(), POLICY, ReplyOffer("", LINK)), Channel.SMS
    ).text
    assert built_in.endswith(f" Accept: {LINK}")


def unbound(html: str) -> str:
    """A body whose commands are in one piece: on a phone no option is broken at its dashes."""
    return re.sub('<span style="white-space:nowrap;">(.*?)</span>', r"\1", html)


@pytest.mark.parametrize("kind", [Kind.PAGE, Kind.VERIFY])
def test_mails_that_ask_have_a_button(renderer: JinjaRenderer, kind: Kind) -> None:
    """The link stands in both bodies, beside the command; without one nothing speaks of it."""
    each = notification(kind, Channel.EMAIL)
    content = renderer.render(each, INCIDENT, history(), POLICY, ReplyOffer("", LINK))
    assert f'href="{LINK}"' in content.html
    assert f"    {LINK}\n" in content.text
    assert COMMAND in content.text
    assert COMMAND in unbound(content.html)
    content = renderer.render(each, INCIDENT, history(), POLICY)
    assert not re.search('href="(?!tel:)', content.html)
    assert "\nor" not in content.text.partition(COMMAND)[0]


def test_a_page_by_mail_says_it_in_the_order_of_use(renderer: JinjaRenderer, told: list[Problem]) -> None:
    """At 3 a.m.: why and what one is asked to be, how to answer, who else, where to meet and look, what it is, and the
    command last; the same in both bodies, addresses and numbers as links.
    """
    policy = replace(
        POLICY,
        organisation="Acme",
        services={"checkout": Service("checkout", "Checkout", runbook="https://run.example.com/1")},
    )
    incident = replace(INCIDENT, bridge="+1 415-5550199", links=(("Ticket", "https://t.example.com/1"),))
    past = history(incident)
    past.roles["technical_lead"] = RoleHistory("technical_lead", needed=True, holder="ana")
    past.roles["scribe"] = RoleHistory("scribe", needed=True, first_pages=(("chen", AT),))
    page = notification(Kind.PAGE, Channel.EMAIL, roles=("incident_commander",))
    content = renderer.render(page, incident, past, policy, ReplyOffer("K7", LINK))
    order = (
        *("Acme", "SEV1", "Critical", "All hands.", "Mon 23 Nov, 11:00 CET (10:00 UTC)", "Nobody has accepted yet."),
        *("You are asked to be Incident Commander.", "Duties of Incident Commander.", "ok K7", "pass K7"),
        *("Chen Wei (Scribe)", "Technical Lead", "Ana Souza", "+14155550101", "+1 415-5550199"),
        *("https://run.example.com/1", "Ticket", "A third of payments fail.", "Checkout", "cause found"),
        *("Since the release", "Failover under way.", COMMAND),
    )
    whole = unbound(content.html)
    for body in (content.text, whole.partition("<h1")[0][-700:] + whole.partition("</h1>")[2]):
        places = [body.find(word) for word in order]
        assert -1 not in places, order[places.index(-1)]
        assert places == sorted(places)
        assert LINK in body
    for address in ("tel:+14155550101", "tel:+14155550199", "https://run.example.com/1", "https://t.example.com/1"):
        assert f'href="{address}"' in content.html
    held = renderer.render(replace(page, roles=("technical_lead",), to="ana"), incident, past, policy)
    assert "You are Technical Lead." in held.text
    assert "You are Technical Lead." in held.html
    assert not told


def test_a_stand_down_says_who_has_it(renderer: JinjaRenderer) -> None:
    """And that nothing is to be done; one segment by SMS."""
    said = {
        Reason.ACCEPTED: ("Technical Lead: Chen Wei has it now.", "Chen Wei has it now."),
        Reason.HANDOVER: ("Technical Lead: Chen Wei has taken over. Thank you.", "Chen Wei has taken over."),
        Reason.SEVERITY_LOWERED: ("You are no longer needed as Technical Lead.",) * 2,
    }
    for reason, (mail, sms) in said.items():
        content = renderer.render(
            notification(Kind.STAND_DOWN, Channel.EMAIL, reason=reason), INCIDENT, history(), POLICY
        )
        for body in (content.text, content.html):
            assert mail in body
            assert "There is nothing for you to do." in body
        short = renderer.render(notification(Kind.STAND_DOWN, Channel.SMS, reason=reason), INCIDENT, history(), POLICY)
        assert short.text == f"SEV1 Card payments fail at checkout: stand down. {sms} Nothing for you to do."


def test_who_hands_a_role_over_and_has_another_is_not_sent_away(renderer: JinjaRenderer) -> None:
    """Section 5: the old holder is told who has it now, and what is still theirs; in one segment by SMS."""
    past = history()
    past.roles["technical_lead"] = RoleHistory("technical_lead", needed=True, holder="chen")
    past.roles["incident_commander"] = RoleHistory("incident_commander", needed=True, holder="bo")
    said = {"bo": "You are still Incident Commander."}
    past.roles["scribe"] = RoleHistory("scribe", needed=True, first_pages=(("ana", AT),))
    said["ana"] = "You are still asked to be Scribe."
    for to, still in said.items():
        letter = notification(Kind.STAND_DOWN, Channel.EMAIL, reason=Reason.HANDOVER, to=to)
        content = renderer.render(letter, INCIDENT, past, POLICY)
        for body in (content.text, content.html):
            assert "Technical Lead: Chen Wei has taken over. Thank you." in body
            assert still in body
            assert "nothing for you to do" not in body
            assert "stand down" not in body.lower()
        short = notification(Kind.STAND_DOWN, Channel.SMS, reason=Reason.HANDOVER, to=to)
        text = renderer.render(short, INCIDENT, past, POLICY).text
        assert text == f"SEV1 Card payments fail at checkout: Technical Lead: Chen Wei has it now. {still}"


def test_the_question_whether_all_is_healthy_can_be_answered_from_a_phone(renderer: JinjaRenderer) -> None:
    """By a code, else the link; whom to call if it is not, in one segment."""
    resolved = replace(INCIDENT, status=Status.RESOLVED)
    past = history(resolved)
    past.roles["incident_commander"] = RoleHistory("incident_commander", needed=True, holder="ana")
    past.roles["technical_lead"] = RoleHistory("technical_lead", needed=True, holder="bo")
    asks = notification(Kind.VERIFY, Channel.SMS, at=AT + timedelta(hours=3))
    start = "SEV1 Card payments fail at checkout: resolved. Is it healthy?"
    coded = renderer.render(asks, resolved, past, POLICY, ReplyOffer("K7", LINK)).text
    assert coded == f"{start} If not, call Ana Souza, +14155550101. If so: ok K7"
    past.roles.pop("incident_commander")
    short = "https://tocsin.example.com/a/Ab3dEf6hIj9lMn2p"
    linked = renderer.render(asks, resolved, past, POLICY, ReplyOffer("", short)).text
    assert linked == f"{start} If not, call Ana Souza, +14155550101. If so: {short}"  # the last resort
    alone = renderer.render(asks, resolved, past, replace(POLICY, last_resort=("bo",)), ReplyOffer("", short)).text
    assert alone == f"{start} If not, open it again. If so: {short}"
    mail = renderer.render(replace(asks, via=Channel.EMAIL), resolved, past, POLICY, ReplyOffer("K7", LINK))
    for body in (mail.text, unbound(mail.html)):
        for word in ("ok K7", LINK, "13:05 CET", "open it again", "--status investigating", COMMAND):
            assert word in body


@pytest.mark.parametrize("kind", [Kind.UPDATE, Kind.CLOSING])
@pytest.mark.parametrize("external", [False, True])
def test_news_name_the_incidents_page(renderer: JinjaRenderer, kind: Kind, external: bool) -> None:
    """Unobtrusively, at the end; nobody is offered to answer."""
    page = "https://tocsin.example.com/incidents/card"
    each = notification(kind, Channel.EMAIL, external=external)
    content = renderer.render(each, INCIDENT, history(), POLICY, ReplyOffer("", "", page))
    assert content.text.partition("\n-- \n")[2].startswith(f"Follow the incident: {page}\n")
    assert f'href="{page}"' in content.html
    assert "/answer/" not in content.html
    assert "<a " not in content.html.replace(f'<a class="link" href="{page}"', "")
    assert "Follow" not in parts(renderer.render(each, INCIDENT, history(), POLICY))


def test_no_message_offers_a_link_that_is_over(renderer: JinjaRenderer) -> None:
    """A verify that comes a week after the resolution or later names the command only."""
    resolved, invitation = replace(INCIDENT, status=Status.RESOLVED), ReplyOffer("", LINK)
    past = history(resolved)
    assert past.resolved_at is not None
    for late, offered in ((timedelta(days=6, hours=23), True), (timedelta(days=7), False)):
        each = notification(Kind.VERIFY, Channel.EMAIL, at=past.resolved_at + late)
        text = parts(renderer.render(each, resolved, past, POLICY, invitation))
        assert (LINK in text) is offered
        assert COMMAND in text


def test_incident_text_is_never_template(renderer: JinjaRenderer) -> None:
    """P9: Jinja syntax in a title is read as written, in every part of a mail."""
    incident = replace(INCIDENT, title="{{ 7 * 7 }} {% raw %}", summary="{{ policy }}")
    content = renderer.render(notification(Kind.PAGE, Channel.EMAIL), incident, history(), POLICY)
    assert content.subject.count("{{ 7 * 7 }} {% raw %}") == 1
    assert "{{ policy }}" in content.text
    assert "{{ policy }}" in content.html
    assert "49" not in content.subject


def test_html_is_escaped(renderer: JinjaRenderer) -> None:
    """Tags in any text of the incident show as text."""
    evil = "<b onmouseover=alert(1)>&'\""
    incident = replace(
        INCIDENT, title=evil, summary=evil, impact=evil, resolution=evil, updates=(UpdateEntry(evil, evil, by=evil),)
    )
    for each in every():
        assert "<b " not in renderer.render(each, incident, history(incident), POLICY).html


def test_readers_of_one_update_share_its_words(renderer: JinjaRenderer) -> None:
    """A thousand readers in one zone and language cost one rendering; another zone has its own."""
    past = history()
    each = notification(Kind.UPDATE, Channel.EMAIL, to="a@example.com")
    contents = {
        id(renderer.render(replace(each, key=str(number), to=f"r{number}@example.com"), INCIDENT, past, POLICY))
        for number in range(1000)
    }
    assert len(contents) == 1
    other = renderer.render(replace(each, to="ana"), INCIDENT, past, POLICY)
    assert "07:30 UTC-03 (10:30 UTC)" in other.text
    assert "Mon 23 Nov, 11:30 CET (10:30 UTC)" in renderer.render(each, INCIDENT, past, POLICY).text


def test_a_subject_is_the_readers_own_for_life(renderer: JinjaRenderer) -> None:
    """Who was told under another title keeps it, and shares words only with those who do; nothing else is in it."""
    past = replace(history(), subjects={"ana@example.com": Subject("As it began")})
    renamed = replace(INCIDENT, title="As it is now", status=Status.MONITORING)
    first, other, late = (
        renderer.render(notification(Kind.UPDATE, Channel.EMAIL, to=to), renamed, past, POLICY)
        for to in ("ana@example.com", "bo@example.com", "cleo@example.com")
    )
    assert (first.subject, other.subject) == ("As it began", "As it is now")
    assert late is other
    for kind in (Kind.PAGE, Kind.CLOSING, Kind.REMINDER, Kind.VERIFY, Kind.REVIEW, Kind.STAND_DOWN):
        each = notification(kind, Channel.EMAIL, to="ana@example.com")
        assert renderer.render(each, renamed, past, POLICY).subject == "As it began"
        assert builtin.builtin_content(wording(each, renamed, past, POLICY), Channel.EMAIL).subject == "As it began"


def test_a_page_is_never_anothers(renderer: JinjaRenderer) -> None:
    """Two people paged at one instant get their own command."""
    past, page = history(), notification(Kind.PAGE, Channel.SMS)
    texts = [renderer.render(replace(page, to=name), INCIDENT, past, POLICY).text for name in ("ana", "bo", "ana")]
    assert texts[0].endswith("--as ana")
    assert texts[1].endswith("--as bo")
    assert texts[0] == texts[2]
    same = replace(POLICY, people={name: replace(POLICY.people["bo"], id=name) for name in ("bo", "ana")})
    for name in ("bo", "ana"):
        assert renderer.render(replace(page, to=name), INCIDENT, past, same).text.endswith(f"--as {name}")


def test_what_was_rendered_before_is_not_taken_for_news(renderer: JinjaRenderer) -> None:
    """The same notification about another state of the incident, its history or the policy has words of its own."""
    past, page = history(), notification(Kind.PAGE, Channel.EMAIL)
    first = renderer.render(page, INCIDENT, past, POLICY)
    assert renderer.render(page, INCIDENT, past, POLICY) is first
    retitled = replace(INCIDENT, title="Something else fails")
    assert "Something else fails" in renderer.render(page, retitled, past, POLICY).subject
    again = renderer.render(page, INCIDENT, past, POLICY)
    later = replace(past, started_at=AT - timedelta(hours=7))
    assert renderer.render(page, INCIDENT, later, POLICY) is not again
    renderer.render(page, INCIDENT, past, POLICY)
    renamed = replace(POLICY, people={**POLICY.people, "chen": replace(POLICY.people["chen"], name="Robert")})
    assert "Robert" in renderer.render(page, INCIDENT, past, renamed).text


SECRET = "hunter2"


def test_outsiders_read_public_words_only(tmp_path: Path, told: list[Problem]) -> None:
    """External groups never read summary, people, roles, severity, ids or internal texts, whatever a template asks."""
    names = Wording.__slots__
    for kind in ("update", "closing"):
        for part in ("sms.txt", "email.txt", "email.html", "subject.txt"):
            (tmp_path / f"{kind}.{part}.j2").write_text(" ".join(f"{{{{ {name} }}}}" for name in names))
    renderer = JinjaRenderer(SHIPPED, told.append)
    assert not renderer.load(tmp_path)
    hidden = replace(POLICY, people={"chen": Person("chen", SECRET, "chen@example.com")})
    worst = replace(hidden.severities["sev1"], title=SECRET, meaning=SECRET)
    hidden = replace(
        hidden,
        severities={"sev2": hidden.severities["sev2"], "sev1": worst},
        roles={name: Role(name, SECRET, SECRET) for name in hidden.roles},
    )
    incident = replace(
        INCIDENT,
        id=SECRET,
        summary=SECRET,
        resolution=SECRET,
        declared_by=SECRET,
        updates=(UpdateEntry(SECRET, "", AT, SECRET), UpdateEntry(SECRET, "In public.", AT, SECRET)),
    )
    for status in Status:
        seen = replace(incident, status=status)
        for kind in (Kind.UPDATE, Kind.CLOSING):
            for via in Channel:
                for told_before in (None, replace(seen, severity="sev2", updates=())):
                    each = notification(kind, via, group="customers" if kind is Kind.UPDATE else None, external=True)
                    each = replace(each, to="status@lists.example.com")
                    for words in (JinjaRenderer(SHIPPED, told.append), renderer):
                        said = parts(words.render(each, seen, history(seen, told_before), hidden))
                        assert SECRET not in said
                        assert "sev" not in said.lower()
    assert not told


def test_drills_say_so_even_where_a_template_does_not(tmp_path: Path, renderer: JinjaRenderer) -> None:
    """A drill's every subject and text is marked, with anybody's templates (rule 28)."""
    for part in ("sms.txt", "email.txt", "email.html", "subject.txt"):
        (tmp_path / f"page.{part}.j2").write_text("{{ title }}")
    for own in (False, True):
        assert not own or not renderer.load(tmp_path)
        for each in every():
            content = renderer.render(each, replace(INCIDENT, drill=True), history(), POLICY)
            assert content.text.startswith("DRILL")
            assert each.via is Channel.SMS or (content.subject.startswith("DRILL ") and "DRILL" in content.html)
            assert "DRILL" not in parts(renderer.render(each, INCIDENT, history(), POLICY))


def test_a_drills_banner_is_in_the_page(tmp_path: Path, renderer: JinjaRenderer) -> None:
    """It stands inside the body, whatever that has for attributes; blank lines of a template are no more than one."""
    (tmp_path / "page.email.html.j2").write_text('<html><BODY class="x">{{ title }}</BODY></html>')
    (tmp_path / "page.email.txt.j2").write_text("one\n\n \n\ntwo\n\nthree")
    assert not renderer.load(tmp_path)
    page = notification(Kind.PAGE, Channel.EMAIL)
    content = renderer.render(page, replace(INCIDENT, drill=True), history(), POLICY)
    assert content.html.startswith('<html><BODY class="x"><table role="presentation"')
    assert content.text.endswith("one\n\ntwo\n\nthree\n")


def test_a_file_overrides_a_file(tmp_path: Path, renderer: JinjaRenderer) -> None:
    """A user's template stands in for the shipped one, the rest stays; the reader's language comes first."""
    (tmp_path / "page.sms.txt.j2").write_text("Hello {{ name }}, {{ acknowledge }}")
    (tmp_path / "de").mkdir()
    (tmp_path / "de" / "page.sms.txt.j2").write_text("Hallo {{ name }}, {{ acknowledge }}")
    assert renderer.load(tmp_path) == ()
    page = notification(Kind.PAGE, Channel.SMS)
    assert renderer.render(page, INCIDENT, history(), POLICY).text.startswith("Hello Bo Lindqvist, tocsin ack")
    german = replace(POLICY, people={"bo": replace(POLICY.people["bo"], language="de")})
    assert renderer.render(page, INCIDENT, history(), german).text.startswith("Hallo Bo Lindqvist, tocsin ack")
    stand_down = notification(Kind.STAND_DOWN, Channel.SMS)
    assert "Chen Wei has it now." in renderer.render(stand_down, INCIDENT, history(), POLICY).text


TWINS = "{% set a = [1, 1] %}{% set b = [1, 1] %}" + "{% set a = [a, a] %}{% set b = [b, b] %}" * 40
"""Two lists of the same shape, that print 2^41 items each."""
TUPLES = "{% set a = (1, 1) %}" + "{% set a = (a, a) %}" * 40
BROKEN = {
    "undefined": "line one\n{{ nothing_like_it }}",
    "empty": "{% if False %}x{% endif %}",
    "blank": " \n ",
    "no attribute": "{{ title.nothing }}",
    "no item": "{{ services[99] }}",
    "private": "{{ title.__class__.__mro__ }}",
    "division": "{{ 1 // 0 }}",
    "wrong type": "{{ title + 1 }}",
    "missing file": "{% include 'nowhere.j2' %}",
    "itself": "{% include 'page.sms.txt.j2' %}",
    "long": "{{ 'x' * 10**8 }}",
    "long by product": "{{ 'x' * 100000000 }}",
    "power": "{{ 99 ** 99999999 }}",
    "format": "{{ '%0999999999d' % 1 }}",
    "format method": "{{ '{:0999999999d}'.format(1) }}",
    "width": "{{ 'x'.ljust(999999999) }}",
    "range": "{% for i in range(999999999) %}x{% endfor %}",
    "nested loops": "{% for i in range(99) %}{% for j in range(99) %}{% for k in range(99) %}{% endfor %}"
    "{% endfor %}{% endfor %}x",
    "doubling": "{% set x = title %}" + "{% set x = x ~ x %}" * 40 + "{{ x | length }}",
    "adding": "{% set x = title %}" + "{% set x = x + x %}" * 40 + "{{ x | length }}",
    "blocks": "{% set x %}{{ title }}{% endset %}" + "{% set x %}{{ x }}{{ x }}{% endset %}" * 40 + "{{ x | length }}",
    "replacing": "{% set x = title %}" + "{% set x = x | replace('a', 'aaaaaaaaaaaaaaaaaaaa') %}" * 20 + "{{ x }}",
    "macros": "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}x",
    "deep macros": "{% macro m(n) %}{{ m(n) }}{% endmacro %}{{ m(1) }}",
    "segments": "no page has " + "room for so much fixed text " * 9,
    "nested lists": "{% set a = [1, 1] %}" + "{% set a = [a, a] %}" * 40 + "{{ a | string }}",
    "nested lists printed": "{% set a = [1, 1] %}" + "{% set a = [a, a] %}" * 40 + "{{ a }}",
    "nested lists compared": TWINS + "{{ a == b }}",
    "nested lists tested": TWINS + "{{ a is eq b }}",
    "nested lists sought": TWINS + "{{ a in [b] }}",
    "nested lists sorted": TWINS + "{{ [a, b] | sort }}",
    "nested lists counted": TWINS + "{{ [a].count(b) }}",
    "nested lists changed": TWINS + "{% for each in [a, b] %}{{ loop.changed(each) }}{% endfor %}",
    "nested tuples as keys": TUPLES + "{{ {a: 1} }}",
    "nested tuples as items": TUPLES + "{{ {}[a] }}",
    "nested tuples by get": TUPLES + "{{ {}.get(a) }}",
    "nested tuples as names": TUPLES + "{% include [a] %}",
    "nested tuples, each once": TUPLES + "{{ [a] | unique }}",
    "a list doubled": "{% set l = [1] * 5000 %}" + "{% set l = l + l %}" * 20 + "{{ l | length }}",
    "a long join": "{% set s = 'x' * 5000 %}{% set s = s ~ s ~ s ~ s ~ s ~ s ~ s ~ s %}{{ ([s] * 5000) | join }}",
    "an odd text": "{{ '%0999999999d' is odd }}",
    "a divisible text": "{{ '%0999999999d' is divisibleby(1) }}",
    "much in a loop": "{% for each in range(2400) %}" + "{% if title == id %}{% endif %}" * 300 + "{% endfor %}x",
    "much in a macro": "{% macro m() %}" + "{% if title == id %}{% endif %}" * 300 + "{% endmacro %}"
    "{% for each in range(2400) %}{{ m() }}{% endfor %}x",
    "much in a block": "{% block b %}" + "{% if title == id %}{% endif %}" * 300 + "{% endblock %}"
    "{% for each in range(2400) %}{{ self.b() }}{% endfor %}x",
    "much in a test": "{% for each in range(2400) if " + "title == id and " * 50 + "0 %}{% endfor %}x",
    "fixed text in a block": "{% set x %}{% for each in range(2400) %}"
    + "y" * 20_000
    + "{% endfor %}{% endset %}{{ x }}",
    "long texts sought": "{% set s = 'a' * 5000 %}{% set s = s ~ s ~ s ~ s %}{% set n = 'a' * 49 ~ 'b' ~ 'a' * 49 %}"
    "{% for each in range(2400) %}{% if n in s %}{% endif %}{% endfor %}x",
    "long texts stripped": "{% set s = 'a' * 5000 %}{% set n = 'b' * 5000 ~ 'a' %}"
    "{% for each in range(1200) %}{% if s.strip(n) %}{% endif %}{% endfor %}x",
    "large numbers": "{% set n = 99999999 %}" + "{% set n = n * n %}" * 20 + "{{ n }}",
    "a budget of one's own": "{{ [-99999999] | map('what is carried out', -99999999) | list }}",
}


@pytest.fixture
def pages_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A check renders the samples of pages alone: the template of a page is in nothing else."""
    pages = [words for words in samples() if words.kind == Kind.PAGE.value]
    for name in ("bundle_samples", "notice_samples", "answer_samples"):
        monkeypatch.setattr(jinja_renderer, name, tuple)
    for name in ("TESTS", "SIGN_INS"):
        monkeypatch.setattr(jinja_renderer, name, ())
    monkeypatch.setattr(jinja_renderer, "samples", lambda: pages)


@pytest.mark.usefixtures("pages_only")
@pytest.mark.parametrize("source", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_template_never_delays_a_page(source: str, tmp_path: Path, told: list[Problem]) -> None:
    """The built-in text goes instead, at once, and operators hear of it once, with file and line (P2)."""
    renderer = JinjaRenderer(SHIPPED, told.append)
    (tmp_path / "page.sms.txt.j2").write_text(source)
    assert renderer.load(tmp_path) == ()
    page = notification(Kind.PAGE, Channel.SMS)
    began = time.thread_time()
    first = renderer.render(page, INCIDENT, history(), POLICY).text
    assert time.thread_time() - began < 1
    assert "You: Technical Lead. Accept: tocsin ack 2026-11-23-card-payments-fail --as bo" in first
    assert segments(first) == 1
    renderer.render(replace(page, to="ana"), INCIDENT, history(), POLICY)
    assert len(told) == 1
    assert renderer.load(tmp_path) == ()
    renderer.render(page, INCIDENT, history(), POLICY)
    assert (len(told), told[0]) == (2, told.pop())
    assert told[0].file == str(tmp_path / "page.sms.txt.j2")
    assert told[0].line == (2 if "\n{{" in source else 1)
    assert [problem.file for problem in renderer.check()] == [told[0].file]


@pytest.mark.parametrize(
    ("source", "good"),
    [
        ("{{ 7 % 2 }}{{ 2 * 3 }}{{ title ~ 'x' }}{{ 'a,b'.split(',') | join }}", True),
        ("{{ '%d' % 7 }}", False),
        ("{{ 2 ** 2 }}", False),
        ("{{ title.zfill(3) }}", False),
        ("{{ title.replace('a', 'b') }}", False),
        ("{% for i in range(300) %}" + "x" * 1000 + "{% endfor %}", False),
        ("{% for i in range(200) %}" + "x" * 1000 + "{% endfor %}", True),
        ("{% for i in range(2400) %}{% endfor %}x", True),
        ("{% for i in range(2600) %}{% endfor %}x", False),
        ("{{ ('x' * 5000) | length }}", True),
        ("{{ ('x' * 5001) | length }}", False),
        (
            "{% for a in range(50) | map('string') %}{% for b in range(40) | map('string') %}{% endfor %}{% endfor %}x",
            True,
        ),
        (
            "{% for a in range(50) | map('string') %}{% for b in range(60) | map('string') %}{% endfor %}{% endfor %}x",
            False,
        ),
    ],
)
def test_what_a_template_may_do(source: str, good: bool, tmp_path: Path, told: list[Problem]) -> None:
    """Harmless operators, methods and loops are there; what could make much of little is not, however little it makes
    here, and a text has a longest length.
    """
    renderer = JinjaRenderer(SHIPPED, told.append)
    (tmp_path / "page.email.txt.j2").write_text(source)
    assert renderer.load(tmp_path) == ()
    renderer.render(notification(Kind.PAGE, Channel.EMAIL), INCIDENT, history(), POLICY)
    assert [problem.file for problem in told] == [str(tmp_path / "page.email.txt.j2")] * (not good)


def test_a_broken_layout_is_named(tmp_path: Path, told: list[Problem]) -> None:
    """A fault in a file that others use is told at its own line, and the mail goes as plain text."""
    renderer = JinjaRenderer(SHIPPED, told.append)
    (tmp_path / "layout.html.j2").write_text(
        "<p>\n{{ titel }}{% block kicker %}{% endblock %}{% block body %}{% endblock %}"
    )
    assert renderer.load(tmp_path) == ()
    content = renderer.render(notification(Kind.PAGE, Channel.EMAIL), INCIDENT, history(), POLICY)
    assert content.html == ""
    assert "tocsin ack 2026-11-23-card-payments-fail --as bo" in content.text
    assert "Card payments fail" in content.subject
    assert [str(problem) for problem in told] == [
        f"{tmp_path}/layout.html.j2:2:1: error: 'titel' is undefined (did you mean \"title\"?); "
        "the built-in text was sent instead"
    ]


SYNTAX = {
    "{{ title": 1,
    "{% if title %}": 1,
    "one\n{% nonsense %}": 2,
    "one\ntwo {{ title | nofilter }}": 2,
    "{% for a in [1] recursive %}{% endfor %}": 1,
    "one\n{{ title | center(99) }}": 2,
    "one\n{{ title | striptags }}": 2,
    "one\n{{ title is callable }}": 2,
    "one\n{% if title %}\n{{ title | nofilter }}{% endif %}": 3,
    "one\n" + "{% for each in [1] %}" * 25 + "x" + "{% endfor %}" * 25: 2,
    "one\n" + "{% if 1 %}" * 101 + "x" + "{% endif %}" * 101: 2,
    "one\n{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}": 2,
    "one\n{{ " + "not " * 5000 + "1 }}": 2,
    "one\n{{ " + "1 + " * 900 + "1 }}": 2,
    "one\n{{ title" + " | upper" * 900 + " }}": 2,
    "one\n\n{{ " + "9" * 60_000 + " }}": 3,
    "one\n{{ 0x" + "f" * 60_000 + " }}": 2,
    "one\n" + "{{ a }}" * 3000: 2,
    "{% block a %}"
    + "".join(f"{{% set a{number} = 1 %}}" for number in range(400))
    + "{% include 'x.j2' %}" * 350
    + "{% endblock %}": 1,
}


@pytest.mark.parametrize(("source", "line"), SYNTAX.items())
def test_a_template_that_cannot_be_used_is_refused(
    source: str, line: int, tmp_path: Path, renderer: JinjaRenderer, told: list[Problem]
) -> None:
    """At the first load the shipped text stands in; later the last good set goes on, whole (P8)."""
    page, stand_down = notification(Kind.PAGE, Channel.SMS), notification(Kind.STAND_DOWN, Channel.SMS)
    (tmp_path / "page.sms.txt.j2").write_text(source)
    began = time.thread_time()
    [problem] = renderer.load(tmp_path)
    assert time.thread_time() - began < 1
    assert (problem.file, problem.line) == (str(tmp_path / "page.sms.txt.j2"), line)
    assert "shipped text" in problem.message
    assert renderer.render(page, INCIDENT, history(), POLICY).text.startswith("SEV1 11:00 Card")
    (tmp_path / "page.sms.txt.j2").write_text("Good: {{ acknowledge }}")
    assert renderer.load(tmp_path) == ()
    (tmp_path / "page.sms.txt.j2").write_text(source)
    (tmp_path / "stand_down.sms.txt.j2").write_text("New words.")
    [problem] = renderer.load(tmp_path)
    assert "last good" in problem.message
    assert renderer.render(page, INCIDENT, history(), POLICY).text.startswith("Good: tocsin ack")
    assert "stand down" in renderer.render(stand_down, INCIDENT, history(), POLICY).text
    assert not told


def test_a_file_that_cannot_be_read_keeps_the_last_good_set(tmp_path: Path, renderer: JinjaRenderer) -> None:
    """P8: a reload in which one file is too long, or none at all, changes no other template either; a good one speaks at once,
    for what was rendered before too.
    """
    page, story = notification(Kind.PAGE, Channel.SMS), history()
    path = tmp_path / "page.sms.txt.j2"
    path.write_text("Good: {{ acknowledge }}")
    assert renderer.load(tmp_path) == ()
    path.write_text("New: {{ acknowledge }}")
    (tmp_path / "update.sms.txt.j2").write_bytes(b"x" * 70_000)
    (problem,) = renderer.load(tmp_path)
    assert problem.file == str(tmp_path / "update.sms.txt.j2")
    assert renderer.render(page, INCIDENT, story, POLICY).text.startswith("Good: tocsin ack")
    (tmp_path / "update.sms.txt.j2").unlink()
    assert renderer.load(tmp_path) == ()
    assert renderer.render(page, INCIDENT, story, POLICY).text.startswith("New: tocsin ack")


def test_a_mounted_folder(tmp_path: Path, renderer: JinjaRenderer) -> None:
    """Templates that are links to files in the folder, by way of another link, as a mounted folder has them, count, and
    count once; one of just the longest length does too.
    """
    data = tmp_path / "..2026_11_26"
    data.mkdir()
    (data / "page.sms.txt.j2").write_text("Linked: {{ acknowledge }}")
    (tmp_path / "..data").symlink_to("..2026_11_26")
    (tmp_path / "page.sms.txt.j2").symlink_to("..data/page.sms.txt.j2")
    (tmp_path / "update.sms.txt.j2").write_text("x" + " " * (64 * 1024 - 1))
    assert renderer.load(tmp_path) == ()
    assert sorted(sources.read(tmp_path).texts) == ["page.sms.txt.j2", "update.sms.txt.j2"]
    text = renderer.render(notification(Kind.PAGE, Channel.SMS), INCIDENT, history(), POLICY).text
    assert text.startswith("Linked: tocsin ack")


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path, renderer: JinjaRenderer) -> None:
    """T5: what lies outside is never read, by a link, by a chain of links, through a folder that is one, or as the
    folder's own parent; no word of it is said, and the other templates of a first load count.
    """
    (tmp_path / "secret").write_text("S3cret {{ S3cret }}")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "page.sms.txt.j2").symlink_to("../secret")
    folder = tmp_path / "templates"
    folder.mkdir()
    (folder / "good.j2").write_text("x")
    (folder / "one.j2").symlink_to("../secret")
    (folder / "two.j2").symlink_to("one.j2")
    (folder / "three.j2").symlink_to("/proc/self/environ")
    (folder / "four.j2").symlink_to("sub/page.sms.txt.j2")
    (folder / "sub").symlink_to("../outside")
    (folder / "folder.j2").symlink_to("..")
    files = sources.read(folder)
    assert files.texts == {"good.j2": "x"}
    assert not files.unread
    assert {(Path(problem.file).name, problem.code) for problem in files.problems} == {
        (name, "link-outside") for name in ("one.j2", "two.j2", "three.j2", "four.j2", "folder.j2")
    }
    assert not any("S3cret" in str(problem) for problem in renderer.load(folder))


def test_a_link_that_is_put_in_while_a_file_is_opened_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T5: whoever changes a folder into a link just after it was looked at gets nothing opened behind it."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "a.j2").write_text("S3cret")
    folder = tmp_path / "templates"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "a.j2").write_text("x")
    assert sources.read(folder).texts == {"sub/a.j2": "x"}
    look = os.path.realpath

    def swapping(path: str | os.PathLike[str], *, strict: bool = False) -> str:
        real = look(path, strict=strict)
        if str(path).endswith("a.j2"):
            (folder / "sub").rename(tmp_path / "away")
            (folder / "sub").symlink_to("../outside")
        return real

    monkeypatch.setattr(os.path, "realpath", swapping)
    files = sources.read(folder)
    assert not files.texts
    assert [problem.file for problem in files.unread] == [str(folder / "sub" / "a.j2")]


def test_a_missing_template_is_named_only_if_its_name_is_written(tmp_path: Path, told: list[Problem]) -> None:
    """T5: a name that is put together may hold what nobody should read."""
    renderer = JinjaRenderer(SHIPPED, told.append)
    (tmp_path / "page.sms.txt.j2").write_text("{% include 'nowhere.j2' %}")
    (tmp_path / "page.subject.txt.j2").write_text("{% set s %}S3{{ 'cret' }}{% endset %}{% include s %}")
    (tmp_path / "page.email.txt.j2").write_text("{% set s %}S3{{ 'cret' }}{% endset %}{% include [s, s ~ s] %}")
    assert renderer.load(tmp_path) == ()
    assert {problem.message for problem in renderer.check()} == {
        "there is no template nowhere.j2; mend it",
        "there is no template of the name that is put together here; mend it",
        "none of the templates named there is there; mend it",
    }


def test_too_many_templates(tmp_path: Path, renderer: JinjaRenderer) -> None:
    """What is over the limit is left out and told; the first ones, by name, count."""
    (tmp_path / "zzz.j2").write_text("{{ not a template")
    for number in range(500):
        (tmp_path / f"{number:03}.j2").write_text("x")
    (problem,) = renderer.load(tmp_path)
    assert (problem.file, "over 500 templates" in problem.message) == (str(tmp_path), True)


def test_files_that_are_no_templates(tmp_path: Path, renderer: JinjaRenderer) -> None:
    """A folder of that name, a file too long and one that is no text are problems; nothing but a file is opened."""
    (tmp_path / "page.sms.txt.j2").mkdir()
    (tmp_path / "update.sms.txt.j2").write_bytes(b"x" * 70_000)
    (tmp_path / "closing.sms.txt.j2").write_bytes(b"\xff\xfe")
    (tmp_path / "verify.sms.txt.j2").symlink_to(tmp_path / "nowhere")
    problems = renderer.load(tmp_path)
    assert sorted(Path(problem.file).name for problem in problems) == sorted(
        f"{kind}.sms.txt.j2" for kind in ("page", "update", "closing", "verify")
    )
    assert renderer.render(notification(Kind.PAGE, Channel.SMS), INCIDENT, history(), POLICY).text.startswith("SEV1")


def test_the_shipped_templates_are_sound(renderer: JinjaRenderer, told: list[Problem]) -> None:
    """Every kind and channel has its file, a checkout's folder is found, and each sample renders."""
    assert renderer.load(SHIPPED) == ()
    assert renderer.check() == ()
    parts_of = ("subject.txt", "email.txt", "email.html", "sms.txt")
    assert {f"{kind.value}.{part}.j2" for kind in KINDS for part in parts_of} <= {
        path.name for path in SHIPPED.iterdir()
    }
    assert not told


def test_check_looks_into_every_branch(tmp_path: Path, renderer: JinjaRenderer) -> None:
    """A fault that only outsiders, drills, an unreadable file or another language would meet is found."""
    (tmp_path / "update.sms.txt.j2").write_text("{{ next_short }}{% if external %}\n{{ wrong_one }}{% endif %}.")
    (tmp_path / "page.email.txt.j2").write_text("Hi\n{% if unreadable %}\n{{ wrong_two }}{% endif %}")
    (tmp_path / "fr").mkdir()
    (tmp_path / "fr" / "closing.subject.txt.j2").write_text("{{ wrong_three }}")
    assert renderer.load(tmp_path) == ()
    assert sorted(f"{Path(each.file).relative_to(tmp_path)}:{each.line}" for each in renderer.check()) == [
        "fr/closing.subject.txt.j2:1",
        "page.email.txt.j2:3",
        "update.sms.txt.j2:2",
    ]


def test_mail_opens_well_anywhere(renderer: JinjaRenderer) -> None:
    """Every HTML part is one document for phones and dark clients, without images, scripts or links but to call."""
    for each in every():
        if each.via is Channel.SMS:
            continue
        html = renderer.render(each, INCIDENT, history(), POLICY).html
        assert html.lower().startswith("<!doctype html>")
        assert '<meta name="color-scheme" content="light dark">' in html
        assert "prefers-color-scheme: dark" in html
        assert "max-width:600px" in html
        assert not re.search(r'<(img|script|link)\b|<a (?!class="link" href="tel:\+)|url\(|https?:', html)
        assert html.count("<p") == html.count("</p>")
        assert html.count("<div") == html.count("</div>")


def test_an_update_by_sms_keeps_title_and_promise(renderer: JinjaRenderer) -> None:
    """Long texts are cut to three segments, before a title that is not too long, and never the next update's time."""
    title = "Card payments fail at checkout in three regions"
    long = replace(INCIDENT, title=title, impact="It fails. " * 400, updates=(UpdateEntry("We look. " * 400),))
    text = renderer.render(notification(Kind.UPDATE, Channel.SMS), long, history(), POLICY).text
    assert text.startswith(f"SEV1 {title}: We have found the cause and are working on it. We look.")
    assert "... Impact: It fails." in text
    assert text.endswith("... Expected to be fixed by 21:00 UTC+08. Next update by 18:30 UTC+08.")
    assert segments(text) == 3


@pytest.mark.parametrize("fault", [errno.EIO, errno.EACCES])
def test_a_folder_that_the_disk_does_not_list_is_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: int
) -> None:
    """Rule 73: it is not as if it were empty, or the shipped words would be sent instead of one's own."""
    (tmp_path / "page.sms.txt.j2").write_text("x")

    def failing(_: object) -> None:
        raise OSError(fault, os.strerror(fault), str(tmp_path))

    monkeypatch.setattr(os, "scandir", failing)
    files = sources.read(tmp_path)
    assert (files.texts, files.problems) == ({}, ())
    (problem,) = files.unread
    assert os.strerror(fault) in problem.message


@settings(max_examples=some(60), deadline=None)
@given(st.integers(0, 10**9))
def test_no_template_takes_long(seed: int) -> None:
    """T2 to T4: whatever a template wants, it gives a text or a fault within a fraction of a second."""
    renderer = JinjaRenderer(SHIPPED, lambda _problem: None)
    files = TemplateFiles(Path("own"), {"page.email.txt.j2": Grammar(Random(seed)).template()})
    began = time.thread_time()
    faults = renderer.unusable(files.texts)
    renderer.use(files, TemplateVerdict(faults, frozenset(fault.name for fault in faults)))
    content = renderer.render(notification(Kind.PAGE, Channel.EMAIL), INCIDENT, history(), POLICY)
    assert content.text.strip()
    assert time.thread_time() - began < 2


def test_a_slice_of_what_has_none_is_a_fault_and_no_more(tmp_path: Path, told: list[Problem]) -> None:
    """Python would warn of it on the daemon's own output while it compiles."""
    renderer = JinjaRenderer(SHIPPED, told.append)
    (tmp_path / "page.sms.txt.j2").write_text("{{ 1[2:] }}")
    assert renderer.load(tmp_path) == ()
    renderer.render(notification(Kind.PAGE, Channel.SMS), INCIDENT, history(), POLICY)
    assert [problem.message for problem in told] == ["a int has no slices; the built-in text was sent instead"]


def test_a_name_that_cannot_be_shown_is_refused(tmp_path: Path) -> None:
    """It could write lines of its own into what `check` prints, on the disk and in a revision."""
    name = "x\n::error file=a::gotcha\n.j2"
    (tmp_path / name).write_text("{{")
    (tmp_path / os.fsdecode(b"\xff\xfe.j2")).write_text("{{")
    for files in (sources.read(tmp_path), sources.of_revision(tmp_path, {name: b"{{", "\udcff.j2": b"{{"}, {})):
        assert not files.texts
        assert [problem.code for problem in files.problems] == ["unprintable-name"] * 2
        assert "\n" not in "".join(map(str, files.problems))
        "".join(map(str, files.problems)).encode()


def test_a_holder_who_is_asked_again_confirms_and_commands_break_between_words_alone(renderer: JinjaRenderer) -> None:
    """Nobody is asked to accept what they have; a phone breaks no option behind its hyphens."""
    asked, offer = notification(Kind.PAGE, Channel.EMAIL), ReplyOffer("K7", "https://pager.example.com/a/x")
    again = replace(asked, to="chen", reason=Reason.STILL_THERE)
    for page, word, other in ((asked, "accept", "confirm"), (again, "confirm", "accept")):
        content = renderer.render(page, INCIDENT, history(), POLICY, offer)
        for body in (content.text, content.html):
            assert f"By SMS: ok K7 to {word}, pass K7 to pass." in body
            assert f"To {word} by command" in body
            assert f"to {other}" not in body.lower()
    assert '<span style="white-space:nowrap;">--as</span>' in content.html
