"""What outsiders can reach holds nothing internal, field by field, on every page, feed and link of a mail to them."""

import random
import re
from collections.abc import AsyncIterator
from dataclasses import fields, replace
from datetime import timedelta
from pathlib import Path

import pytest
from tocsin.adapters.jinja.renderer import JinjaRenderer
from tocsin.app.reply_options import signed_links
from tocsin.app.reply_options.codes import Codes
from tocsin.app.reply_options.options import ReplyOptions
from tocsin.domain.delivery import Content, Letter, Refused
from tocsin.domain.facts import Answer, Answered, Noted, Seen, Updated
from tocsin.domain.incident import Acknowledgment, Incident, Status, TimelineNote, UpdateEntry
from tocsin.domain.notification import AnswerLink, Kind, Notification, Reason
from tocsin.domain.people import Channel
from tocsin.planning.history.fold import fold_facts

from tests.builders.active_config import active_config
from tests.builders.active_config import settings as daemon_settings
from tests.builders.instants import MINUTE, T0
from tests.builders.policies import shipped_policy
from tests.builders.stories import happen, know_config, on_duty, pass_time, see
from tests.fakes.ledger import MemoryLedger
from tests.unit.web.lives import BEARER, KEY, WEB, Life, alive

FULL = Incident(
    id="card",
    title="PUBLIC-TITLE",
    severity="sev1",
    status=Status.INVESTIGATING,
    summary="XSUMMARYX",
    impact="PUBLIC-IMPACT",
    services=("checkout", "search"),
    roles=(("scribe", "gus"),),
    acknowledged=(Acknowledgment("dee", T0),),
    eta=T0 + 120 * MINUTE,
    declared_at=T0 - 3 * MINUTE,
    declared_by="XDECLARERX",
    updates=(UpdateEntry("XUPDATEX", "PUBLIC-UPDATE", None, "XAUTHORX"),),
    timeline=(TimelineNote("XTIMELINEX", T0, "XSCRIBEX"),),
    resolution="",
    verified_by="",
    review="",
)
STATUS = signed_links.STATUS + signed_links.status_token(KEY, "card")
INTERNAL = re.compile(r"X[A-Z]+X")
"""What is for insiders alone, of the incident's own text."""


def secrets() -> set[str]:
    """Everything of the shipped config that is for insiders: people with their addresses, roles, severities, services."""
    policy = shipped_policy()
    people = {word for person in policy.people.values() for word in (person.name, person.email, person.phone) if word}
    tables = (policy.roles, policy.severities, policy.stakeholders, policy.services)
    return people | {entry.title for table in tables for entry in table.values() if entry.title} | {"SEV1", "sev1"}


def leaks(page: str) -> list[str]:
    """What of it is for insiders."""
    return sorted({*INTERNAL.findall(page), *(secret for secret in secrets() if secret in page)})


def test_every_field_has_its_mark() -> None:
    """A field that an incident gets in future has to be put here, on one side or the other."""
    assert {field.name for field in fields(Incident)} == {
        "id", "title", "severity", "status", "summary", "impact", "services", "roles", "acknowledged", "eta",
        "declared_at", "declared_by", "updates", "timeline", "resolution", "verified_by", "review", "drill",
        "unreadable", "public_title", "public_resolution", "bridge", "links", "started_at", "reviewed_drill",
        "never_read", "alerts", "odd_name",
    }  # fmt: skip


@pytest.fixture
async def life() -> AsyncIterator[Life]:
    """An incident in which every internal field and fact holds a word of its own; and one like it that is over."""
    async with alive(**WEB) as life:
        await know_config(life.ledger)
        for incident in ("card", "over"):
            await see(life.ledger, replace(FULL, id=incident))
            await happen(life.ledger, incident, Answered(T0 + MINUTE, "dee", Answer.OK), Refused("XREFUSEDX"))
            await happen(life.ledger, incident, Answered(T0 + 2 * MINUTE, on_duty("engineers"), Answer.PASS))
            await happen(life.ledger, incident, Noted(T0 + 3 * MINUTE, "dee", "XNOTEX"))
            await pass_time(life.ledger, incident, T0 + 40 * MINUTE)
        end = replace(
            FULL,
            id="over",
            status=Status.RESOLVED,
            resolution="XRESOLUTIONX",
            verified_by="XVERIFIERX",
            review="XREVIEWX",
        )
        await happen(life.ledger, "over", Seen(T0 + 41 * MINUTE, end, "end"))
        await pass_time(life.ledger, "over", T0 + 50 * MINUTE)
        life.clock.go(51 * MINUTE)
        yield life


PUBLIC_PAGES = (
    "/incidents",
    "/incidents/card",
    "/incidents/over",
    "/incidents/card?view=internal",
    "/sign-in",
    "/oncall",
    "/inbox",
    "/healthz",
    "/metrics",
    "/nothing",
    signed_links.unsubscribe([KEY], "card", "support@example.com"),
)


async def test_no_public_page_holds_anything_internal(life: Life) -> None:
    """Every page that opens without a right, by GET and HEAD, in its body and its headers."""
    for path in PUBLIC_PAGES:
        for method in ("GET", "HEAD"):
            _, headers, body = await life.get(path, method, X_Forwarded_For="192.0.2.1")
            assert leaks(body + repr(headers)) == [], path
    for path in ("/incidents", "/incidents/card", "/incidents/over"):
        assert "PUBLIC-TITLE" in (await life.get(path))[2]
    assert "PUBLIC-UPDATE" in (await life.get("/incidents/card"))[2]


async def test_insiders_read_it_all(life: Life) -> None:
    """The same words on the internal pages, so that the test above looks for what there is."""
    _, _, card = await life.get("/incidents/card", **BEARER)
    _, _, over = await life.get("/incidents/over", **BEARER)
    assert {"XSUMMARYX", "XUPDATEX", "XDECLARERX", "XNOTEX"} <= set(INTERNAL.findall(card))
    assert "XRESOLUTIONX" in over
    assert "SEV1" in card


async def test_what_is_kept_for_a_moment_is_never_mixed(life: Life) -> None:
    """Insiders and outsiders who look in turn, within the moment for which a view is kept, each see their own."""
    signed = signed_links.page([KEY], "card")
    for _ in range(3):
        for path in ("/incidents/card", "/incidents"):
            assert leaks((await life.get(path, **BEARER))[2])
            assert leaks((await life.get(path))[2]) == []
            assert leaks((await life.get(path + "?view=public", **BEARER))[2]) == []
        assert "XSUMMARYX" in (await life.get(signed))[2]
        other = (await life.get("/incidents/over", **BEARER))[2]
        assert "XRESOLUTIONX" in other
        assert "XRESOLUTIONX" not in (await life.get("/incidents/card", **BEARER))[2]


async def test_a_signed_page_shows_no_way_to_the_others(life: Life) -> None:
    """Who came by the link of one incident is not led to the list, to other incidents, nor to who is on call."""
    _, _, page = await life.get(signed_links.page([KEY], "card"))
    assert re.findall(r'href="(/incidents|/oncall|/inbox)"', page) == []
    assert "/incidents/over" not in page
    _, _, full = await life.get("/incidents/card", **BEARER)
    assert {"/incidents", "/oncall"} <= set(re.findall(r'href="([^"]+)"', full))


async def test_mails_to_outsiders_hold_no_internal_link(life: Life) -> None:
    """What an external reader gets of every update: the public address of the incident, where to be taken off, and no
    signature that opens anything internal; followed as they stand, the links show nothing internal.
    """
    facts = await life.ledger.facts("card")
    incident, history = FULL, fold_facts(facts)
    in_force = daemon_settings(public_url=WEB["public_url"], web={"signing_key": [KEY]})
    options = ReplyOptions(Codes(random.Random(0)), active_config(shipped_policy(), in_force), MemoryLedger())
    renderer = JinjaRenderer(Path(__file__).parents[3] / "templates", lambda _: None)
    outward = [fact for fact in facts if isinstance(fact, Updated) and fact.external and fact.readers]
    assert outward
    for fact in outward:
        for reader, via in fact.readers:
            update = Notification(
                "k", "card", 1, Kind.UPDATE, fact.reason, fact.at, reader, via, external=True, group=fact.group
            )
            ((offer, coded),) = options.offers([update], shipped_policy(), fact.at)
            assert (offer.code, offer.answer_url, coded) == ("", "", None)
            letter = renderer.render(update, incident, history, shipped_policy(), offer)
            urls = re.findall(r"https://[^\s\"<>)]+", f"{letter.text} {letter.html}")
            urls.append(options.unsubscribe(update))
            assert leaks(f"{letter.subject} {letter.text} {letter.html}") == []
            assert offer.link is not None
            await life.ledger.record(
                "card", [], [Letter(replace(update, key=f"k {reader} {via} {fact.at}"), letter, link=offer.link)], []
            )
            for url in {url.rstrip(".") for url in urls if url}:
                path = url.removeprefix("https://pager.example.com")
                assert path in (STATUS, signed_links.unsubscribe([KEY], "-", reader)), url
                status, _, page = await life.get(path)
                assert (status, leaks(page)) == (200, [reader] if reader in secrets() else [])


@pytest.mark.parametrize("reason", [Reason.DECLARED, Reason.CHANGED])
def test_an_external_reader_is_never_given_the_signed_page(reason: Reason) -> None:
    """Whoever of the config reads an external update, by whatever channel, gets the public address."""
    in_force = daemon_settings(public_url="https://pager.example.com", web={"signing_key": [KEY]})
    options = ReplyOptions(Codes(random.Random(0)), active_config(shipped_policy(), in_force), MemoryLedger())
    for reader in ("dee", "support@example.com"):
        for via in Channel:
            update = Notification(
                "k", "card", 1, Kind.UPDATE, reason, T0, reader, via, external=True, group="customers"
            )
            ((offer, _),) = options.offers([update], shipped_policy(), T0)
            assert offer.page_url == f"https://pager.example.com{STATUS}"


async def test_who_is_on_no_list_of_outsiders_learns_of_nothing(life: Life) -> None:
    """An incident that outsiders were told nothing of is no incident to them, on the list and by its address."""
    await see(life.ledger, replace(FULL, id="hushed", severity="sev4", title="XQUIETX"), T0 + 50 * MINUTE)
    life.clock.go(timedelta(seconds=5))
    assert "hushed" not in (await life.get("/incidents"))[2]
    assert (await life.get("/incidents/hushed"))[0] == 404
    assert "XQUIETX" in (await life.get("/incidents/hushed", **BEARER))[2]


async def test_the_link_of_outsiders_tells_no_id(life: Life) -> None:
    """It shows the public page, never the internal one, and acts on nothing; what answers for a person opens no public
    page, and the other way round. An incident of which outsiders were told nothing has none.
    """
    person = signed_links.token(KEY, "card", 1, "bo")
    for token, link in ((STATUS[3:], ("card", 0, "")), (person, ("card", 1, "bo"))):
        notification = Notification(f"k {token}", "card", 1, Kind.UPDATE, Reason.DUE, T0, "bo", Channel.EMAIL)
        known = AnswerLink(signed_links.token_digest(token), *link)
        await life.ledger.record("card", [], [Letter(notification, Content("words"), link=known)], [])
    status, _, page = await life.get(STATUS)
    assert (status, leaks(page)) == (200, [])
    assert page == (await life.get("/incidents/card?view=public"))[2]
    assert "card.yaml" not in page
    for path in (f"/a/{STATUS[3:]}", f"/s/{person}", f"/s/{person[:-1]}", "/s/", f"/s/{STATUS[3:]}x"):
        assert (await life.get(path))[0] == 403, path
