"""Figures of an incident: from when each counts, and what a kept promise is."""

from dataclasses import replace
from datetime import timedelta

from tocsin.domain.facts import Answer, Answered, Fact, Seen, Updated
from tocsin.domain.history import History
from tocsin.domain.incident import Status, UpdateEntry
from tocsin.domain.notification import Reason
from tocsin.planning.history.figures import LATE_AFTER, Figures, RoleFigure, figures
from tocsin.planning.history.fold import fold_each

from tests.builders.instants import MINUTE, T0
from tests.builders.stories import CARD, SEARCH, card_payments, happen, on_duty, pass_time, see
from tests.fakes.ledger import MemoryLedger

SECOND = timedelta(seconds=1)


def of(facts: tuple[Fact, ...] | list[Fact], minutes: int = 71) -> tuple[Figures, ...]:
    """The figures some minutes after T0."""
    return figures(zip(facts, fold_each(facts, History()), strict=True), T0 + minutes * MINUTE)


async def test_an_incident_that_goes_on() -> None:
    """Each role by who took it first, nobody where nobody did; words and promises as they were written and kept."""
    ledger = MemoryLedger()
    await card_payments(ledger)
    (card,) = of(await ledger.facts("card"))
    assert card == Figures(
        episode=1,
        accepted_after=2 * MINUTE,
        roles=(
            RoleFigure("incident_commander", on_duty("commanders"), 2 * MINUTE),
            RoleFigure("technical_lead"),
            RoleFigure("communications", "dee", 4 * MINUTE),
            RoleFigure("scribe"),
        ),
        written_after=20 * MINUTE,
        told_after=2 * MINUTE,
        promised=8,
        kept=8,
        no_news=2,
    )


async def test_a_role_counts_from_when_it_was_asked_for() -> None:
    """Raised to SEV1 half an hour in: the Commander was asked then, and took three minutes, not 33."""
    ledger = MemoryLedger()
    minor = replace(CARD, severity="sev3")
    await see(ledger, minor)
    await happen(ledger, "card", Seen(T0 + 30 * MINUTE, CARD, "e"))
    await happen(ledger, "card", Answered(T0 + 33 * MINUTE, on_duty("commanders"), Answer.OK))
    (card,) = of(await ledger.facts("card"))
    assert RoleFigure("incident_commander", on_duty("commanders"), 3 * MINUTE) in card.roles
    assert card.accepted_after == 33 * MINUTE


def promise(at_minute: float, next_minute: float | None, reason: Reason = Reason.CHANGED) -> Updated:
    """An update of the executives that promises the next one."""
    promised_at = None if next_minute is None else T0 + next_minute * MINUTE
    return Updated(T0 + at_minute * MINUTE, "executives", reason, False, (), promised_at)


def test_a_promise_names_a_minute() -> None:
    """Kept in that minute, broken after it; one whose time has not come is neither; of those kept, some had no news."""
    seen = Seen(T0, CARD, "d")
    on_time, late = 30 + (LATE_AFTER - SECOND) / MINUTE, 30 + LATE_AFTER / MINUTE
    for second, kept in ((29.0, 1), (on_time, 1), (late, 0)):
        facts = [seen, promise(0, 30, Reason.DECLARED), promise(second, 90)]
        (counted,) = of(facts)
        assert (counted.promised, counted.kept, counted.no_news) == (1, kept, 0), second
    (due,) = of([seen, promise(0, 30), promise(30, 60, Reason.DUE)], minutes=59)
    assert (due.promised, due.kept, due.no_news) == (1, 1, 1)
    (owed,) = of([seen, promise(0, 30)], minutes=40)
    assert (owed.promised, owed.kept) == (1, 0)
    (ahead,) = of([seen, promise(0, 30), promise(10, 40)], minutes=29)
    assert (ahead.promised, ahead.kept) == (0, 0)
    (none,) = of([seen, promise(0, 30), promise(10, None, Reason.SEVERITY_LOWERED)], minutes=60)
    assert (none.promised, none.kept) == (1, 1)


async def test_each_episode_has_its_own() -> None:
    """After a reopening all counts anew; what ended before anybody saw it has none."""
    ledger = MemoryLedger()
    first = replace(CARD, updates=(UpdateEntry("We look.", at=T0 - MINUTE),))
    over = replace(first, status=Status.RESOLVED)
    await see(ledger, first)
    await happen(ledger, "card", Answered(T0 + MINUTE, on_duty("commanders"), Answer.OK))
    await happen(ledger, "card", Seen(T0 + 5 * MINUTE, over, "e"))
    await pass_time(ledger, "card", T0 + 6 * MINUTE)
    await happen(ledger, "card", Seen(T0 + 20 * MINUTE, first, "f"))
    one, two = of(await ledger.facts("card"), minutes=21)
    assert (one.accepted_after, one.written_after, two.accepted_after, two.written_after) == (
        MINUTE,
        timedelta(0),
        None,
        None,
    )
    assert (one.promised, one.kept) == (0, 0)  # it was over before any of them came due
    assert of([Seen(T0, replace(SEARCH, status=Status.RESOLVED), "d")]) == ()
