"""Outside: the public page says what outsiders' emails said, and nothing that they were not told."""

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tocsin.adapters.jinja.renderer import JinjaRenderer
from tocsin.domain.facts import Closed, Fact, Seen, Updated
from tocsin.domain.incident import Incident, Status, UpdateEntry
from tocsin.domain.notification import Kind, Notification, Reason
from tocsin.domain.people import Channel
from tocsin.wording.message.wording import wording
from tocsin.wording.report.public.updates import AGAIN, EXERCISE, LAST_WORD
from tocsin.wording.report.public.view import PublicView, public_view
from tocsin.wording.report.timeline import steps_of

from tests.builders.instants import MINUTE, T0
from tests.builders.policies import shipped_policy
from tests.builders.stories import CARD, DRILL, SEARCH, card_payments, happen, pass_time, see
from tests.fakes.ledger import MemoryLedger

TEMPLATES = Path(__file__).parents[3] / "templates"
POLICY = shipped_policy()


async def view(ledger: MemoryLedger, incident: str = "card") -> PublicView | None:
    return public_view(steps_of(await ledger.facts(incident)), {}, POLICY)


async def change(ledger: MemoryLedger, minutes: int, version: Incident) -> None:
    """A version, and the updates that it brings 2 s later."""
    at = T0 + minutes * MINUTE
    await pass_time(ledger, version.id, at)
    await happen(ledger, version.id, Seen(at, version, str(minutes)))
    await pass_time(ledger, version.id, at + timedelta(seconds=2))


async def test_every_word_was_in_an_email() -> None:
    """Each paragraph of the page stands in the email that outsiders got at that instant, the closing one included."""
    ledger = MemoryLedger()
    await card_payments(ledger)
    facts = await ledger.facts("card")
    newest = next(fact.incident for fact in reversed(facts) if isinstance(fact, Seen))
    await change(ledger, 80, replace(newest, status=Status.RESOLVED, resolution="INTERNAL", eta=None))
    steps = steps_of(await ledger.facts("card"))
    renderer = JinjaRenderer(TEMPLATES, lambda _: None)
    mails: dict[object, str] = {}
    for step in steps:
        kind = {Updated: Kind.UPDATE, Closed: Kind.CLOSING}.get(type(step.fact))
        if kind is None or (isinstance(step.fact, Updated) and not step.fact.external):
            continue
        reason = step.fact.reason if isinstance(step.fact, Updated) else Reason.RESOLVED
        group = "customers" if kind is Kind.UPDATE else None
        about = Notification(
            "k", "card", 1, kind, reason, step.fact.at, "a@example.com", Channel.EMAIL, external=True, group=group
        )
        incident = step.before.incident
        assert incident is not None
        mails[step.fact.at] = renderer.render(about, incident, step.before, shipped_policy()).text
    found = public_view(steps, {}, POLICY)
    assert found is not None
    assert [each.at for each in found.updates] == list(mails)
    assert len(mails) == 6
    for said in found.updates:
        for words in (*said.changes, *said.words):
            assert words in mails[said.at]
    assert (found.status, found.title) == (Status.RESOLVED, CARD.title)


async def test_the_public_title_and_the_public_end() -> None:
    """Outsiders see the title that is for them, and at the end the word that is: not the internal ones."""
    ledger = MemoryLedger()
    titled = replace(CARD, title="SECRET", public_title="Paying fails")
    await change(ledger, 0, titled)
    over = replace(titled, status=Status.RESOLVED, resolution="SECRET", public_resolution="You can pay again.")
    await change(ledger, 25, over)
    found = await view(ledger)
    assert found is not None
    assert found.title == "Paying fails"
    assert found.latest.words == ("This incident is resolved. It lasted 25 minutes.", "You can pay again.")
    assert "SECRET" not in repr(found)


async def test_what_they_were_not_told_is_not_shown() -> None:
    """A new title or summary, an update without public words: the page stays as the last email was."""
    ledger = MemoryLedger()
    await change(ledger, 0, CARD)
    before = await view(ledger)
    await change(ledger, 3, replace(CARD, title="SECRET", summary="SECRET", updates=(UpdateEntry("SECRET"),)))
    assert await view(ledger) == before


async def test_a_mistaken_title_is_hidden_at_once() -> None:
    """Whoever writes a public one sees that outsiders read what they should not: it goes at once, and the new one stands
    there once a message said it, not before.
    """
    ledger = MemoryLedger()
    before = replace(CARD, title="SECRET", started_at=T0 - 5 * MINUTE)
    await change(ledger, 0, before)
    mended = replace(before, public_title="Paying fails")
    await change(ledger, 29, mended)
    found = await view(ledger)
    assert found is not None
    assert (found.title, found.since) == ("Service disruption", T0 - 5 * MINUTE)
    await pass_time(ledger, "card", T0 + 61 * MINUTE)
    told = await view(ledger)
    assert told is not None
    assert told.title == "Paying fails"
    await change(ledger, 62, replace(mended, public_title="UNTOLD"))
    assert await view(ledger) == told


def updated(at: int, group: str) -> Updated:
    return Updated(T0 + at * MINUTE, group, Reason.DUE, True, ((f"{group}@example.com", Channel.EMAIL),))


def seen(at: int, **changes: object) -> Seen:
    return Seen(T0 + at * MINUTE, replace(CARD, **changes), str(at))  # type: ignore[arg-type]  # any field


def entries(*facts: Fact) -> list[tuple[tuple[str, ...], tuple[str, ...], str]]:
    """What the page says of these, without the instants."""
    found = public_view(steps_of(facts), {}, POLICY)
    assert found is not None
    return [(update.changes, update.words, update.impact) for update in found.updates]


def test_groups_told_at_one_instant_are_one_entry() -> None:
    """One hears for the first time what another hears still: of the two sentences that say how it stands one stands
    there, and news that outsiders had read are not told as new.
    """
    one, two = UpdateEntry("a", "First news."), UpdateEntry("b", "Second news.")
    still = (), ("We are still investigating.",), ""
    assert entries(seen(0), updated(0, "customers"), updated(30, "merchants"), updated(30, "customers")) == [
        ((), ("We are investigating.",), CARD.impact),
        still,
    ]
    facts = [
        seen(0),
        updated(0, "customers"),
        seen(5, updates=(one,)),
        updated(5, "customers"),
        seen(9, updates=(one, two), status=Status.IDENTIFIED),
        updated(9, "merchants"),
        updated(9, "customers"),
        updated(20, "partners"),
    ]
    cause = "We have found the cause and are working on it."
    assert entries(*facts)[1:] == [
        ((), ("First news.",), ""),
        ((cause,), ("Second news.",), ""),
        ((), (cause,), ""),
    ]


def test_the_impact_and_the_estimate_stand_where_they_were_told() -> None:
    """Each once: when it was new, when it changed, and that it takes longer."""
    eta = T0 + 20 * MINUTE
    facts = [
        seen(0, eta=eta),
        updated(0, "customers"),
        updated(15, "customers"),
        seen(16, eta=eta, impact="Only cards fail."),
        updated(16, "customers"),
        updated(30, "customers"),
        updated(45, "customers"),
    ]
    still = ("We are still investigating.",)
    assert entries(*facts) == [
        ((), ("We are investigating.", "Expected to be fixed by 10:20 UTC."), CARD.impact),
        ((), still, ""),
        ((), still, "Only cards fail."),
        (("This takes longer than the 10:20 UTC we expected; no new estimate yet.",), still, ""),
        ((), still, ""),
    ]


def test_what_an_update_without_news_tells_again() -> None:
    """Who looks now reads the last news too, as the mail has it; of what has changed since only when it was written."""
    entry = UpdateEntry("a", "First news.", T0 + 5 * MINUTE)
    facts: list[Fact] = [seen(0), updated(0, "customers"), seen(5, updates=(entry,)), updated(5, "customers")]
    due = updated(30, "customers")
    moved = [seen(9, updates=(entry,), status=Status.MONITORING), updated(9, "customers")]
    stories = {"": facts, "Last news, 10:05 UTC: First news.": [*facts, due]}
    stories["Written at 10:05 UTC: First news."] = [*facts, *moved, due]
    for told_again, story in stories.items():
        found = public_view(steps_of(story), {}, POLICY)
        assert found is not None
        assert found.last_news == told_again


def test_what_reached_nobody_is_not_shown() -> None:
    """A group whose every reader unsubscribed was told nothing."""
    hushed = replace(updated(5, "customers"), readers=())
    assert public_view(steps_of([seen(0), hushed]), {}, POLICY) is None
    facts = [seen(0), updated(0, "merchants"), seen(5, updates=(UpdateEntry("a", "SECRET"),)), hushed]
    assert entries(*facts) == [((), ("We are investigating.",), CARD.impact)]


def test_an_estimate_from_before_it_was_open_again_is_none() -> None:
    """No mail speaks of it, so the page does not say that it takes longer."""
    eta = T0 + 20 * MINUTE
    facts = [
        seen(0, eta=eta),
        updated(0, "customers"),
        seen(25, eta=eta, status=Status.RESOLVED),
        Closed(T0 + 25 * MINUTE),
        seen(40, eta=eta),
        updated(40, "customers"),
    ]
    found = public_view(steps_of(facts), {}, POLICY)
    assert found is not None
    assert (found.eta, found.latest.changes) == (None, (AGAIN,))


def test_its_name_outside_is_of_it_alone_and_stays() -> None:
    """Whatever is told of it later; another file of the same name and instant has another. It holds nothing of the id."""
    facts = [seen(0), updated(0, "customers")]
    first, later, other = (
        public_view(steps_of(story), {}, POLICY)
        for story in (facts, [*facts, seen(5), updated(5, "customers")], [replace(facts[0], digest="x"), facts[1]])
    )
    assert first is not None
    assert later is not None
    assert other is not None
    assert first.key == later.key != other.key
    assert re.fullmatch("[0-9a-f]{32}", first.key)


@pytest.mark.parametrize("incident", [SEARCH, DRILL, replace(CARD, drill=True), replace(CARD, status=Status.RESOLVED)])
async def test_nothing_to_see(incident: Incident) -> None:
    """No external group, a drill, first seen resolved: there is no public view."""
    ledger = MemoryLedger()
    await see(ledger, incident)
    assert await view(ledger, incident.id) is None


async def test_one_that_was_told_and_became_a_drill_is_hidden() -> None:
    """A drill is nobody's business outside, even if it was marked as one late."""
    ledger = MemoryLedger()
    await change(ledger, 0, CARD)
    await change(ledger, 3, replace(CARD, drill=True))
    assert await view(ledger) is None


async def test_the_last_word_and_the_end() -> None:
    """Once outsiders are no longer concerned they see their last word, later versions stay hidden, and the end shows."""
    ledger = MemoryLedger()
    card = replace(CARD, updates=(UpdateEntry("x", "We look into it."),))
    await change(ledger, 0, card)
    lowered = replace(card, severity="sev4", status=Status.IDENTIFIED)
    await change(ledger, 5, lowered)
    await change(ledger, 9, replace(lowered, impact="SECRET", eta=T0 + 90 * MINUTE))
    found = await view(ledger)
    assert found is not None
    assert found.latest.words[-1] == LAST_WORD
    catalogue = (Path(__file__).parents[3] / "templates/messages.pot").read_text().replace('"\n"', "")
    for sentence in (LAST_WORD, AGAIN, EXERCISE):  # as mails say it
        assert f'msgid "{sentence}"' in catalogue
    assert (found.impact, found.eta) == (CARD.impact, None)
    await change(ledger, 30, replace(lowered, status=Status.RESOLVED))
    found = await view(ledger)
    assert found is not None
    assert found.latest.words == ("This incident is resolved. It lasted 30 minutes.",)
    await change(ledger, 40, replace(card, status=Status.MONITORING))
    found = await view(ledger)
    assert found is not None
    assert (found.resolved_at, found.latest.changes) == (None, (AGAIN,))


async def test_a_title_that_only_an_alert_wrote_stays_inside() -> None:
    """Neither page nor mail shows it, whatever the language; a title that a person writes counts."""
    ledger = MemoryLedger()
    alerted = replace(CARD, id="lat", title="LatHigh on db-prod-7", declared_by="Alertmanager")
    entry = UpdateEntry("Looking", public="We are looking.")
    await see(ledger, alerted, T0)
    await change(ledger, 5, replace(alerted, updates=(entry,)))
    found = await view(ledger, "lat")
    assert found is not None
    assert found.title == "Service disruption"
    told = next(step for step in steps_of(await ledger.facts("lat")) if getattr(step.fact, "external", False))
    history = told.before
    assert history.incident is not None
    about = Notification(
        "k",
        "lat",
        1,
        Kind.UPDATE,
        Reason.DECLARED,
        told.fact.at,
        "a@x.org",
        Channel.EMAIL,
        external=True,
        group="customers",
    )
    words = wording(about, history.incident, history, POLICY)
    assert (words.title, words.subject_title) == ("Service disruption", "Service disruption")
    inside = wording(replace(about, external=False, group="executives"), history.incident, history, POLICY)
    assert inside.title == inside.subject_title == alerted.title
    await change(ledger, 9, replace(alerted, title="Payments are slow", updates=(entry,), impact="Slow."))
    renamed = await view(ledger, "lat")
    assert renamed is not None
    assert renamed.title == "Payments are slow"


def test_what_was_an_exercise_is_shown_only_once_it_was_told_in_earnest() -> None:
    """Neither its impact nor its end was told to outsiders: they heard that it was an exercise, and no more."""
    drill = {"drill": True, "impact": "SECRET"}
    facts: list[Fact] = [seen(0), updated(0, "customers"), seen(5, **drill), updated(5, "customers")]
    over = [seen(9, **drill, status=Status.RESOLVED), Closed(T0 + 9 * MINUTE)]
    for story in (facts, [*facts, *over], [*facts, *over, seen(12, status=Status.RESOLVED)], [*facts, seen(9)]):
        assert public_view(steps_of(story), {}, POLICY) is None
    told = public_view(steps_of([*facts, seen(9), updated(9, "customers")]), {}, POLICY)
    assert told is not None
    assert [(update.changes, update.words) for update in told.updates[1:]] == [
        ((), (EXERCISE,)),
        (("This is no exercise any more: it is real.",), ("We are still investigating.",)),
    ]
    assert told.impact == CARD.impact
